"""What a file is, by its first bytes."""

from pathlib import Path

LOOKED_AT = 4096  # bytes that tell what a file is

ZIP_BYTES, EMPTY_ZIP_BYTES = b"PK\x03\x04", b"PK\x05\x06"
NPY_BYTES = b"\x93NUMPY"
PARQUET_BYTES = b"PAR1"
ARROW_BYTES = b"ARROW1"
GZIP_BYTES = b"\x1f\x8b"

ZIP = "a ZIP archive"

KINDS = {
    ZIP_BYTES: ZIP,
    NPY_BYTES: "a NumPy array",
    PARQUET_BYTES: "a Parquet file",
    ARROW_BYTES: "a Feather file",
    GZIP_BYTES: "a gzip file",
    b"\x89PNG": "a picture",
    b"\x80": "a Python pickle",
}


def kind_of(path: Path) -> str:
    """Say in the user's words what a file is, by its beginning.

    Parameters
    ----------
    path : Path
        The file, which must exist.

    Returns
    -------
    str
        Such as "a CSV file"; `ZIP` for a file that may be a model or a checkpoint.
    """
    if path.is_dir():
        return "a folder"
    if path.exists() and not path.is_file():
        return "a device or a pipe"
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    if not start:
        return "an empty file, damaged or never written"
    for beginning, kind in KINDS.items():
        if start.startswith(beginning):
            return kind
    try:
        text = start.decode() if len(start) < LOOKED_AT else start[: start.rfind(b"\n") + 1 or None].decode()
    except UnicodeDecodeError:
        return "damaged, or a file of another program"
    if "\0" in text:
        return "damaged, or a file of another program"
    return "a CSV file" if any(mark in text for mark in ",;\t") else "a text file"
