"""Tables in the user's files, of every format that is read, and from pipes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sw.datasets.dataset import DatasetError
from sw.datasets.raw import MEMORY, Content, RawTable, Rows, file_errors
from sw.file_kind import ARROW_BYTES, EMPTY_ZIP_BYTES, NPY_BYTES, PARQUET_BYTES, ZIP_BYTES

TEXT = (".csv", ".tsv", ".txt", ".data")
STREAMED = (".npy", ".parquet", ".feather", ".arrow")
FORMATS = (*TEXT, *(f"{suffix}.gz" for suffix in TEXT), *STREAMED, ".npz")
PIPE = "-"

MAGIC = {
    PARQUET_BYTES: ".parquet",
    ARROW_BYTES: ".feather",
    NPY_BYTES: ".npy",
    ZIP_BYTES: ".npz",
    EMPTY_ZIP_BYTES: ".npz",
}


def read(path: str | Path, *, header: bool | None = None, columns: Sequence[str] | None = None) -> RawTable:
    """Read a table.

    docs/data.md says what each format may hold, and what is assumed and left out; the table's notes say which of it
    happened.

    Parameters
    ----------
    path : str or Path
        A file that ends in one of `FORMATS`, a folder of Parquet files, a named pipe, or "-" for standard input. What
        comes through a pipe is text, or of the format that its first bytes say.
    header : bool or None
        Whether the first row of a text file holds the names of the columns; None for finding out.
    columns : sequence of str or None
        The columns to read; None for all.

    Returns
    -------
    RawTable
        All rows.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, of another format, without records, or without one of the columns.
    """
    chosen = None if columns is None else list(columns)
    with file_errors(str(path)):
        content, suffix = _find(path)
        if suffix in TEXT:
            from sw.datasets.text_files import read_text

            return read_text(content, header, chosen)
        if header is not None:
            raise DatasetError(f"{path}: a header is assumed or denied in text files only")
        if suffix in STREAMED:
            table = _rows(content, suffix, chosen).table()
        else:
            from sw.datasets.npz_files import read_npz

            table = read_npz(content, chosen)
    if not table.columns.num_rows:
        raise DatasetError(f"{content.name} has no records")
    return table


def open_rows(path: str | Path, columns: Sequence[str] | None = None) -> Rows:
    """Open a file that can be read in blocks: its ending is one of `STREAMED`, or it is a folder of Parquet files.

    Parameters
    ----------
    path : str or Path
        The file.
    columns : sequence of str or None
        The columns to read; None for all.

    Returns
    -------
    Rows
        Its rows.

    Raises
    ------
    DatasetError
        As `read` does.
    """
    with file_errors(str(path)):
        content, suffix = _find(path)
        if suffix not in STREAMED:
            raise DatasetError(f"{path} cannot be read in blocks; {', '.join(STREAMED)} can")
        return _rows(content, suffix, None if columns is None else list(columns))


def fits_in_memory(path: str | Path) -> bool:
    """Whether a file is to be read at once: its format allows nothing else, or its numbers take at most `MEMORY`.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    DatasetError
        As `read` does.
    """
    if str(path) == PIPE or _is_pipe(Path(path)) or _suffix(Path(path)) not in STREAMED:
        return True
    return open_rows(path).bytes <= MEMORY


def _rows(content: Content, suffix: str, columns: list[str] | None) -> Rows:
    if suffix == ".npy":
        from sw.datasets.npy_files import NpyRows

        rows: Rows = NpyRows(content, columns)
    else:
        from sw.datasets.arrow_files import FeatherRows, ParquetRows

        if suffix == ".parquet":
            rows = ParquetRows(content.name, _files(content), columns)
        else:
            rows = FeatherRows(content, columns)
    if not rows.count:
        raise DatasetError(f"{content.name} has no records")
    return rows


def _is_pipe(path: Path) -> bool:
    return path.is_fifo() or (path.parent in (Path("/dev"), Path("/dev/fd")) and path.is_file())


def _suffix(path: Path) -> str:
    """Give the format of a path, in lower case and without .gz; "" if none is read that is called so."""
    if path.is_dir():
        return ".parquet"
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes[-1:] == [".gz"] and suffixes[0] in TEXT:
        return suffixes[0]
    return suffixes[-1] if suffixes and suffixes[-1] in FORMATS else ""


def _find(path: str | Path) -> tuple[Content, str]:
    """Find a file, and the format to read it as."""
    name, path = str(path), Path(path)
    if name == PIPE:
        if sys.stdin is None or sys.stdin.isatty():
            raise DatasetError(f"{PIPE} reads a table from standard input, which is a terminal or closed")
        return _piped("standard input", path, sys.stdin.buffer.read())
    if _is_pipe(path):
        return _piped(name, path, path.read_bytes())
    suffix = _suffix(path)
    if not suffix:
        raise DatasetError(f"{name} is not called as a table that is read; known are {', '.join(FORMATS)}")
    content = Content(name, path)
    if not path.is_dir():
        with content.open() as stream:
            _check_format(name, suffix, _format(stream.read(8)))
    return content, suffix


def _format(start: bytes) -> str | None:
    return next((suffix for magic, suffix in MAGIC.items() if start.startswith(magic)), None)


def _piped(name: str, path: Path, data: bytes) -> tuple[Content, str]:
    return Content(name, path, data), _format(data[:8]) or ".csv"


def _check_format(name: str, suffix: str, found: str | None) -> None:
    if suffix == ".arrow":
        suffix = ".feather"
    if found and found != suffix:
        raise DatasetError(f"{name} begins as a {found} file does; call it {found} if it is one")


def _files(content: Content) -> list[Content]:
    if content.data is not None or not content.path.is_dir():
        return [content]
    found = sorted(
        path
        for path in content.path.rglob("*")
        if path.suffix.lower() == ".parquet"
        and path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(content.path).parts)
    )
    if not found:
        raise DatasetError(f"{content.name} is a folder without Parquet files; a folder is read if it has some")
    return [Content(str(path), path) for path in found]
