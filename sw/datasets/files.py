"""Files that data sets are written to: .csv, .npy, .npz and .parquet.

`sw.datasets.reading` reads the same numbers back.
"""

import csv
import io
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO, TextIO

import numpy as np

from sw.datasets.dataset import Dataset, DatasetError
from sw.outputs import whole


def write(dataset: Dataset, path: Path) -> None:
    """Write a data set, the targets after the features, in the format of the extension; whole or not at all.

    Parameters
    ----------
    dataset : Dataset
        The records.
    path : Path
        The file; it ends in .csv, .npy, .npz or .parquet.

    Raises
    ------
    DatasetError
        If no such format is written.
    sw.outputs.OutputError
        If the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise DatasetError(f"{path} does not end in {', '.join(FORMATS)}")
    with whole(path) as file:
        WRITERS[path.suffix.lower()](dataset, file)


def _names(dataset: Dataset) -> tuple[str, ...]:
    return dataset.feature_names + dataset.target_names


def _matrix(dataset: Dataset) -> np.ndarray:
    return np.hstack([dataset.features, dataset.targets])


def write_csv(dataset: Dataset, stream: TextIO) -> None:
    """Write a data set to a stream as `write` does to a .csv file; NaN becomes an empty cell."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_names(dataset))
    values = _matrix(dataset)
    if np.isnan(values).any():
        writer.writerows(["" if cell != cell else f"{cell:.17g}" for cell in row] for row in values.tolist())
    else:
        np.savetxt(stream, values, fmt="%.17g", delimiter=",")


def _write_csv(dataset: Dataset, file: BinaryIO) -> None:
    stream = io.TextIOWrapper(file, encoding="utf-8", newline="")
    write_csv(dataset, stream)
    stream.detach()


def _write_npy(dataset: Dataset, file: BinaryIO) -> None:
    # Of a real file NumPy hides why a write fails, and it cannot write to a pipe.
    np.save(SimpleNamespace(write=file.write), _matrix(dataset))


def _write_npz(dataset: Dataset, file: BinaryIO) -> None:
    feature_names, target_names = np.array(dataset.feature_names), np.array(dataset.target_names)
    np.savez(file, X=dataset.features, y=dataset.targets, feature_names=feature_names, target_names=target_names)


def _write_parquet(dataset: Dataset, file: BinaryIO) -> None:
    from pyarrow import parquet, table

    columns = [*dataset.features.T, *dataset.targets.T]
    named = table(dict(zip(_names(dataset), columns, strict=True)))
    parquet.write_table(named, file, write_page_checksum=True)


WRITERS = {".csv": _write_csv, ".npy": _write_npy, ".npz": _write_npz, ".parquet": _write_parquet}
FORMATS = tuple(WRITERS)
