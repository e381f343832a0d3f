import os
import time
from pathlib import Path

import pytest

from sw import cache


def test_a_directory_is_made_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "deep" / "place"))
    assert cache.directory("things") == tmp_path / "deep" / "place" / "things"
    assert cache.directory("things").is_dir()


def test_it_lies_in_the_platforms_place_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    place = cache.directory("things")
    assert place.is_relative_to(tmp_path) and place.parent.name == "kanloom"


def test_a_missing_home_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    with pytest.raises(OSError, match="missing"):
        cache.directory("things")
    assert not list(tmp_path.iterdir())


def test_only_what_has_not_been_used_for_long_is_removed(tmp_path: Path) -> None:
    old = time.time() - (cache.UNUSED_DAYS + 1) * 24 * 3600
    for name in ("used", "unused", "new"):
        (tmp_path / name / "inside").mkdir(parents=True)
    (tmp_path / "unused.lock").touch()
    for name in ("used", "unused", "unused.lock"):
        os.utime(tmp_path / name, (old, old))
    cache.mark_used(tmp_path / "used")
    cache.remove_unused(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "used"]


def test_a_warning_is_said_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, "/a/place/of/this/test")
    for _ in range(2):
        cache.warn(OSError(28, "No space left on device"))
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "/a/place/of/this/test" in said and "No space left on device" in said
