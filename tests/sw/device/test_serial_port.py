"""The link on the operating system's ports."""

import errno
import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from sw.device.errors import LinkError, UnpluggedError
from sw.device.serial_port import open_port
from sw.device.transport import HostLink


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """Our end of a pseudo-terminal, and the path of the other."""
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs)
    os.close(theirs)


def test_an_unplugged_port_is_an_error(terminal: tuple[int, str]) -> None:
    ours, path = terminal
    with HostLink(open_port(path, 115_200), timeout=2.0) as link:
        os.close(ours)
        with pytest.raises(UnpluggedError, match=f"{path} is gone"):
            link.hello()


def test_the_context_closes_the_port(terminal: tuple[int, str]) -> None:
    ours, path = terminal
    port = open_port(path, 115_200)
    with HostLink(port):
        assert port.is_open
    assert not port.is_open
    os.close(ours)


def test_a_port_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in (("none", "there is no such port"), ("file", "not a serial port"), (".", "not a serial port")):
        with pytest.raises(LinkError, match=f"cannot open the port '{tmp_path / path}': .*{reason}"):
            open_port(str(tmp_path / path), 115_200)


def test_a_user_who_may_not_open_a_port_is_told_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyUSB0"
    port.write_text("")

    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(LinkError, match=f"although you are in its group {port.group()}"):
        open_port(str(port))
    monkeypatch.setattr(os, "getegid", lambda: -1)
    monkeypatch.setattr(os, "getgroups", lambda: [])
    with pytest.raises(LinkError, match=f"you are not in the group {port.group()}: sudo usermod -aG {port.group()} "):
        open_port(str(port))


@pytest.mark.parametrize("baud", [0, 12345678901, 9600.5, float("nan"), "fast"])
def test_a_baud_rate_has_bounds(baud: int) -> None:
    with pytest.raises(ValueError, match=r"baud .* must be a whole number from 300 to 12000000"):
        open_port("/dev/ttyUSB0", baud)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5"])
def test_times_of_a_link_have_bounds(terminal: tuple[int, str], seconds: float) -> None:
    ours, path = terminal
    with open_port(path, 115_200) as port:
        for name in ("timeout", "resend_after"):
            with pytest.raises(ValueError, match=f"{name} .* must be a number from 0.001 to "):
                HostLink(port, **{name: seconds})  # type: ignore[arg-type]
    os.close(ours)


def test_a_port_is_opened_once(terminal: tuple[int, str]) -> None:
    ours, path = terminal
    with HostLink(open_port(path, 115_200)), pytest.raises(LinkError, match="in use by another program"):
        open_port(path, 115_200)
    os.close(ours)
