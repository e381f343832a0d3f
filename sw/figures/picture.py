"""Pictures in files, whole or not at all, marked as ours."""

from pathlib import Path

from matplotlib.figure import Figure

from sw.outputs import PICTURE_METADATA, whole


def save(figure: Figure, path: Path, *, dpi: int) -> None:
    """Write a picture in the format of the file's ending, .png or .svg.

    Parameters
    ----------
    figure : Figure
        What is drawn.
    path : Path
        The file.
    dpi : int
        Dots an inch.

    Raises
    ------
    sw.outputs.OutputError
        If the file cannot be written.
    """
    suffix = path.suffix.lower()
    with whole(path) as file:
        figure.savefig(file, format=suffix[1:], dpi=dpi, metadata=PICTURE_METADATA[suffix])
