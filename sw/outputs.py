"""The one rule for files that kanloom writes.

An output is never an input, never another output, never a folder, and never a file of another kind that exists, unless
the user says `--force`. `check` refuses it before the work begins, and proves that it can be written. `whole` writes a
file whole or not at all; `emptied` empties a folder only if it carries the marker of an earlier build.
"""

import argparse
import errno
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sw.archive import own_kind

HEAD_BYTES = 4096  # of a file, by which its kind is known
PROOF_BYTES = 4096  # that are written to prove that a file can be
MARKER = ".kanloom-build"
"""The file that a build leaves in its folder, so that the next build may empty it."""


class OutputError(ValueError):
    """A file cannot be written, or must not be; the message names it and says why."""


@dataclass(frozen=True)
class Kind:
    """A kind of file, known by its content.

    Attributes
    ----------
    name : str
        With its article.
    recognises : callable
        Tells whether a file that exists is of this kind; it may raise OSError.
    """

    name: str
    recognises: Callable[[Path], bool]


def archive_kind(file_format: str) -> Kind:
    """Describe a kind of .npz file that `sw.archive` writes.

    Parameters
    ----------
    file_format : str
        What the header has for `format`.
    """
    noun = file_format.replace("-", " ")
    return Kind(f"a {noun}", lambda path: own_kind(path) == noun)


def head_kind(name: str, pattern: bytes) -> Kind:
    """Describe a kind of file by a pattern in its first bytes.

    Parameters
    ----------
    name : str
        Name of the kind, with its article.
    pattern : bytes
        A regular expression.
    """

    def recognises(path: Path) -> bool:
        with path.open("rb") as file:
            return re.search(pattern, file.read(HEAD_BYTES)) is not None

    return Kind(name, recognises)


FIGURES = head_kind("a file of figures that kanloom wrote", rb'\A\s*\{\s*"kanloom": "figures"')
PICTURE = head_kind("a picture that kanloom drew", rb"Software\0kanloom|<dc:title>kanloom</dc:title>")
PICTURE_METADATA = {".png": {"Software": "kanloom"}, ".svg": {"Creator": "kanloom"}}
"""What Matplotlib writes into a picture so that `PICTURE` recognises it, by the file's ending."""
TABLE = Kind("empty", lambda path: False)
"""A table of numbers; nothing tells one of ours from one of the user's, so none is replaced unasked."""


@dataclass(frozen=True)
class Output:
    """A file that a command will write.

    Attributes
    ----------
    path : Path or None
        The file; None if the user wants none.
    kind : Kind
        What may be replaced.
    option : str
        The option that names it.
    """

    path: Path | None
    kind: Kind
    option: str = "--output"


def add_force(parser: argparse._ActionsContainer) -> None:
    """Add the option that lets a command replace files.

    Parameters
    ----------
    parser : argparse.ArgumentParser or a group of it
        The verb's parser.
    """
    parser.add_argument("--force", action="store_true", help="replace files that exist, whatever they hold")


def check(*outputs: Output, inputs: Iterable[object] = (), force: bool = False) -> None:
    """Refuse files that must not be written, or cannot be, before the work begins.

    Parameters
    ----------
    *outputs : Output
        All files that will be written.
    inputs : iterable of str, Path or None
        All files that are read; names of anything else are ignored.
    force : bool, default=False
        Whether files of other kinds may be replaced. An input never is.

    Raises
    ------
    OutputError
        For the first output that breaks the rule.
    """
    read = [path for path in (Path(str(each)) for each in inputs if each is not None) if path.exists()]
    before: list[Output] = []
    for output in outputs:
        if output.path is None:
            continue
        target = _target(output.path)
        if target.is_dir():
            raise OutputError(f"{output.path} is a folder; {output.option} names a file")
        if not target.parent.is_dir():
            raise OutputError(f"{output.path}: there is no folder {output.path.parent}")
        for path in read:
            if same_file(output.path, path) or (path.is_dir() and _target(path) in target.parents):
                raise OutputError(f"{output.path} is read by this command; name another file with {output.option}")
        for other in before:
            if other.path and same_file(output.path, other.path):
                raise OutputError(f"{output.option} and {other.option} name the same file, {output.path}")
        before.append(output)
        if not _is_special(target):
            _check_replaced(output, target, force)
            _prove(output.path, target)


def same_file(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to the same place on the disk, whether there is a file or not.

    Parameters
    ----------
    one, other : Path
        The paths. Special files, such as /dev/null, are never the same.
    """
    targets = _target(one), _target(other)
    if any(map(_is_special, targets)):
        return False
    return targets[0] == targets[1] or (all(each.exists() for each in targets) and os.path.samefile(*targets))


@contextmanager
def whole(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file whole or not at all, in a `with` block.

    The bytes go to a temporary file in the same folder, which replaces the file when the block ends, and is removed if
    the block raises an exception. The file that is replaced hands on its permissions; symbolic links are followed. A
    special file, such as a pipe or /dev/stdout, is written to as the bytes come.

    Parameters
    ----------
    path : str or Path
        The file.

    Yields
    ------
    BinaryIO
        Where the bytes go.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target = _target(Path(path))
    try:
        if _is_special(target):
            with _opened(target) as file:
                yield file
            return
        temporary = _temporary(target)
        try:
            with open(temporary, "xb") as file:
                if target.exists():
                    with suppress(OSError):  # some file systems have no permissions
                        os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _failed(path, error) from error


def take_place(new: Path, path: Path) -> None:
    """Give the place and the permissions of a file to a new one that is on the disk; links are followed.

    Parameters
    ----------
    new, path : Path
        The new file, which then has the name of the other one alone.

    Raises
    ------
    OutputError
        If the file cannot be replaced; the new one is left where it is.
    """
    target = _target(path)
    try:
        with suppress(OSError):  # some file systems have no permissions, and there need not be a file
            new.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(new, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise _failed(path, error) from error
        with whole(path) as file:  # a link leads to another disk
            file.write(new.read_bytes())
        new.unlink()
    _sync_folder(target.parent)


def write_json(path: Path | None, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON that `FIGURES` recognises.

    Parameters
    ----------
    path : Path or None
        None to write nothing.
    figures : mapping
        Plain data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if path:
        text = json.dumps({"kanloom": "figures", **figures}, indent=1) + "\n"
        with whole(path) as file:
            file.write(text.encode())


def check_folder(path: Path) -> None:
    """Refuse a folder that must not be emptied.

    Parameters
    ----------
    path : Path
        A folder, or the place of a new one.

    Raises
    ------
    OutputError
        For a file, and for a folder with files in it but without `MARKER`.
    """
    try:
        if path.is_dir():
            if any(path.iterdir()) and not (path / MARKER).is_file():
                raise OutputError(
                    f"{path} has files in it that are not a build's, since it has no {MARKER}; name another folder"
                )
        elif path.exists():
            raise OutputError(f"{path} is a file, not a folder")
    except OSError as error:
        raise _failed(path, error) from error


def emptied(path: Path) -> Path:
    """Make a folder, or empty one that an earlier build has left, and mark it.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    OutputError
        As `check_folder`, or if the folder cannot be written to.
    """
    check_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / MARKER).write_text("kanloom build empties this folder when it builds here again.\n")
        for child in path.iterdir():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            elif child.name != MARKER:
                child.unlink()
    except OSError as error:
        raise _failed(path, error) from error
    return path


def _target(path: Path) -> Path:
    """Follow symbolic links to the place that is written, but not the links that stand for open files."""
    path = Path(os.path.abspath(path))
    for _ in range(40):
        folder = os.path.realpath(path.parent)
        path = Path(folder, path.name)
        if _is_descriptor(path) or not path.is_symlink():
            return path
        path = Path(os.path.abspath(os.path.join(folder, os.readlink(path))))
    raise OutputError(f"{path}: {os.strerror(errno.ELOOP)}")


def _is_descriptor(target: Path) -> bool:
    """Tell whether a path stands for an open file of this process, as /dev/stdout does."""
    return str(target.parent) == os.path.realpath("/dev/fd") and target.name.isdecimal()


def _is_special(target: Path) -> bool:
    return _is_descriptor(target) or (target.exists() and not target.is_file() and not target.is_dir())


def _opened(target: Path) -> BinaryIO:
    """Open a special file; one that stands for an open file shares its position."""
    if _is_descriptor(target):
        sys.stdout.flush()
        return os.fdopen(os.dup(int(target.name)), "wb")
    return target.open("wb")


def _check_replaced(output: Output, target: Path, force: bool) -> None:
    """Refuse to replace a file of another kind; a file without content is free."""
    try:
        if not target.exists():
            return
        if not os.access(target, os.W_OK):
            raise OutputError(f"{output.path} is read-only; name another file with {output.option}")
        if not force and target.stat().st_size and not output.kind.recognises(target):
            raise OutputError(
                f"{output.path} exists and is not {output.kind.name}; name another file with {output.option}, or "
                "replace it with --force"
            )
    except OSError as error:
        raise _failed(output.path, error) from error


def _prove(path: Path, target: Path) -> None:
    """Write a temporary file where a file will be, and remove it."""
    temporary = _temporary(target)
    try:
        with open(temporary, "xb") as file:
            file.write(bytes(PROOF_BYTES))
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    """Return a name that no file beside `target` has."""
    return target.parent / f".kanloom-{os.urandom(8).hex()}.tmp"


def _sync_folder(folder: Path) -> None:
    """Bring the new name of a file to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(path: object, error: OSError) -> OutputError:
    return OutputError(f"{path} cannot be written: {error.strerror or error}")
