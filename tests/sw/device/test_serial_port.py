"""The link on the operating system's ports."""

import os
import pty
from collections.abc import Iterator

import pytest

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


def test_a_port_that_cannot_be_opened_is_named(tmp_path: object) -> None:
    with pytest.raises(LinkError, match=f"cannot open the port '{tmp_path}/none'"):
        open_port(f"{tmp_path}/none", 115_200)


def test_a_port_is_opened_once(terminal: tuple[int, str]) -> None:
    ours, path = terminal
    with HostLink(open_port(path, 115_200)), pytest.raises(LinkError, match="cannot open the port"):
        open_port(path, 115_200)
    os.close(ours)
