"""The rule for outputs: whole or not at all, and nothing of the user's replaced unasked."""

import errno
import io
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from sw import datasets
from sw.engine.checkpoint import CHECKPOINT_FILE
from sw.model import MODEL_FILE
from sw.outputs import (
    FIGURES,
    MARKER,
    PICTURE,
    TABLE,
    Output,
    OutputError,
    check,
    check_folder,
    emptied,
    same_file,
    take_place,
    whole,
    write_json,
)
from tests.sw.commands.running import ROOT
from tests.trainings import model_of, source_of


def write(path, content=b"new"):
    with whole(path) as file:
        file.write(content)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), whole(path) as file:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"old"
        raise error
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    write(path)
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


def test_permissions_stay_and_new_files_have_the_usual_ones(tmp_path):
    path, usual = tmp_path / "file", tmp_path / "usual"
    write(path)
    usual.touch()
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(0o640)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("disks", [1, 2])
def test_a_file_takes_the_place_of_another_one(tmp_path, monkeypatch, disks):
    """Also on another disk, where a link may lead."""
    path, new, replace = tmp_path / "file", tmp_path / "new", os.replace

    def only_on_one_disk(old, place):
        if Path(old) == new:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(old, place)

    if disks == 2:
        monkeypatch.setattr(os, "replace", only_on_one_disk)
    write(path)
    path.chmod(0o640)
    new.write_bytes(b"newer")
    take_place(new, path)
    assert path.read_bytes() == b"newer" and list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(OutputError, match="file cannot be written: No such file"):
        take_place(new, path)


def test_links_are_followed(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (folder / "file").read_bytes() == b"new"
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OutputError, match="circle: Too many levels"):
        write(tmp_path / "circle")


def test_special_files_are_written_to_and_stay(tmp_path):
    write("/dev/null")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    taken: list[bytes] = []
    reader = threading.Thread(target=lambda: taken.append(pipe.read_bytes()))
    reader.start()
    check(Output(pipe, TABLE))
    datasets.write(datasets.generate("norm2", 3), tmp_path / "records.npy")
    write(pipe, (tmp_path / "records.npy").read_bytes())
    reader.join()
    assert np.load(io.BytesIO(taken[0])).shape == (3, 3) and stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_standard_output_is_shared_with_what_is_printed(tmp_path):
    """A shell's `> file` has opened the file already: it must neither be replaced nor overwritten from its start."""
    code = """
from pathlib import Path
from sw.outputs import TABLE, Output, check, whole
print("before")
check(Output(Path("/dev/stdout"), TABLE))
with whole("/dev/stdout") as file:
    file.write(b"written\\n")
print("after")
"""
    with (tmp_path / "file").open("wb") as file:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=file, check=True)
    assert (tmp_path / "file").read_text() == "before\nwritten\nafter\n"


def test_a_full_disk_is_said_in_a_line_and_leaves_the_old_file(tmp_path):
    """A limit on the size of files stands for it."""
    model, old = tmp_path / "model.npz", tmp_path / "old.csv"
    model_of(source_of()).save(model)
    before = model.read_bytes()
    old.write_text("old")
    code = f"""
import resource
from pathlib import Path
from sw.datasets import generate, write
from sw.outputs import OutputError, TABLE, Output, check
from tests.trainings import model_of, source_of
model, records = model_of(source_of()), generate("norm4", 500)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
folder = Path({str(tmp_path)!r})
for call in (
    lambda: model.save(folder / "model.npz"),
    lambda: write(records, folder / "old.csv"),
    lambda: write(records, folder / "new.npy"),
    lambda: write(records, folder / "new.npz"),
    lambda: write(records, folder / "new.parquet"),
    lambda: check(Output(folder / "fresh.csv", TABLE)),
    lambda: model.save("/dev/full"),
):
    try:
        call()
    except OutputError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 7, done.stdout + done.stderr
    assert all("cannot be written: File too large" in line for line in lines[:-1])
    assert lines[-1] == "/dev/full cannot be written: No space left on device"
    assert model.read_bytes() == before and old.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.npz", "old.csv"]


@pytest.mark.skipif(os.geteuid() == 0, reason="a superuser may write anywhere")
def test_a_folder_that_is_not_writable_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="file cannot be written: Permission denied"):
        check(Output(tmp_path / "file", TABLE))
    tmp_path.chmod(0o700)


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A folder with a user's files, which the process is in."""
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("a,b\n1,2\n")
    Path("folder").mkdir()
    Path("link").symlink_to("table.csv")
    Path("hard").hardlink_to("table.csv")
    Path("empty").touch()
    return tmp_path


@pytest.mark.parametrize("path", ["table.csv", "./folder/../table.csv", "link", "hard", "{}/table.csv"])
@pytest.mark.parametrize("force", [False, True])
def test_an_output_is_never_an_input(user, path, force):
    with pytest.raises(OutputError, match=r"is read by this command; name another file with --output"):
        check(Output(Path(path.format(user)), TABLE), inputs=["det4", None, "table.csv"], force=force)
    assert Path("table.csv").read_text() == "a,b\n1,2\n"


def test_an_output_is_no_part_of_a_folder_that_is_read(user):
    with pytest.raises(OutputError, match="is read by this command"):
        check(Output(Path("folder/part.parquet"), TABLE), inputs=["folder"])


@pytest.mark.parametrize("other", ["new.npz", "folder/../new.npz"])
def test_an_output_is_never_another_output(user, other):
    with pytest.raises(OutputError, match=r"--json and --output name the same file"):
        check(Output(Path("new.npz"), MODEL_FILE), Output(Path(other), FIGURES, "--json"), force=True)
    check(Output(Path("/dev/null"), MODEL_FILE), Output(Path("/dev/null"), FIGURES, "--json"), Output(None, TABLE))


def test_an_output_is_no_folder_and_in_one_that_exists(user):
    with pytest.raises(OutputError, match="folder is a folder; --output names a file"):
        check(Output(Path("folder"), TABLE), force=True)
    with pytest.raises(OutputError, match="there is no folder no"):
        check(Output(Path("no/file"), TABLE), force=True)


def test_what_is_there_stays_unless_it_is_of_the_same_kind_or_the_user_wants_that(user):
    for kind in (TABLE, FIGURES, PICTURE, MODEL_FILE, CHECKPOINT_FILE):
        for path in (Path("table.csv"), Path("link")):
            with pytest.raises(OutputError, match=f"exists and is not {kind.name}; .* replace it with --force"):
                check(Output(path, kind))
            check(Output(path, kind), force=True)
        check(Output(Path("empty"), kind), Output(Path("new"), kind))
    assert sorted(path.name for path in user.iterdir()) == ["empty", "folder", "hard", "link", "table.csv"]


def test_kinds_are_told_apart_by_what_is_in_a_file(tmp_path):
    from matplotlib.figure import Figure

    from sw.engine import checkpoint
    from sw.engine.training import Training
    from sw.figures.picture import save
    from tests.trainings import STRATEGIES

    source = source_of()
    model_of(source).save(tmp_path / "model.npz")
    checkpoint.save(Training(model_of(source), source, STRATEGIES["fixed16"]), tmp_path / "checkpoint")
    write_json(tmp_path / "figures.json", {"pearson": 1})
    figure = Figure()
    figure.subplots().set_title("title")
    for suffix in (".png", ".svg"):
        save(figure, tmp_path / f"picture{suffix}", dpi=50)
        figure.savefig(tmp_path / f"user{suffix}")
    datasets.write(datasets.generate("norm2", 3), tmp_path / "data.npz")
    np.savez(tmp_path / "user.npz", header=np.array(json.dumps({"format": "mine"})))
    (tmp_path / "user.json").write_text('{"pearson": 1, "kanloom": "figures"}')
    (tmp_path / "text").write_text("kanloom-model")
    kinds = {
        "model.npz": MODEL_FILE,
        "checkpoint": CHECKPOINT_FILE,
        "figures.json": FIGURES,
        "picture.png": PICTURE,
        "picture.svg": PICTURE,
    }
    for path in tmp_path.iterdir():
        for kind in kinds.values():
            assert kind.recognises(path) == (kinds.get(path.name) is kind), (path, kind.name)
        assert not TABLE.recognises(path)


def test_figures_are_the_users_and_a_mark(tmp_path):
    write_json(tmp_path / "figures.json", {"pearson": 0.5})
    assert json.loads((tmp_path / "figures.json").read_text()) == {"kanloom": "figures", "pearson": 0.5}
    write_json(None, {})


def test_a_folder_is_emptied_only_if_it_is_a_builds(tmp_path, monkeypatch):
    folder = tmp_path / "some" / "build"
    assert emptied(folder) == folder and [path.name for path in folder.iterdir()] == [MARKER]
    (folder / "old.bin").touch()
    (folder / "deep" / "er").mkdir(parents=True)
    own = tmp_path / "own"
    own.mkdir()
    (own / "file").write_text("mine")
    (folder / "link").symlink_to(own)
    monkeypatch.chdir(folder)
    emptied(Path("."))
    assert [path.name for path in folder.iterdir()] == [MARKER] and (own / "file").read_text() == "mine"
    monkeypatch.chdir(own)
    for path in (own, Path(".")):
        for call in (check_folder, emptied):
            with pytest.raises(OutputError, match=f"has files in it that are not a build's, since it has no {MARKER}"):
                call(path)
    with pytest.raises(OutputError, match="file is a file, not a folder"):
        check_folder(own / "file")
    assert (own / "file").read_text() == "mine"


def test_files_are_the_same_by_their_place(user):
    assert same_file(Path("link"), Path("hard")) and same_file(Path("new"), Path("folder/../new"))
    assert not same_file(Path("table.csv"), Path("empty")) and not same_file(Path("/dev/null"), Path("/dev/null"))
