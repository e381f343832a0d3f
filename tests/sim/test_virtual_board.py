import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

from hw.flow.tools import emit_verilog
from sim.virtual_board import LineRates, VirtualBoard, VirtualBoardError
from tests.sim.designs import Echo
from tests.slow import slow


@pytest.fixture(scope="module")
def echo() -> str:
    """Verilog of an echo, with 8 clocks a bit."""
    return emit_verilog(Echo(clocks_per_bit=8))


@pytest.mark.parametrize("clocks_per_bit", [8, slow(10), slow(12)])
def test_no_byte_is_lost_and_none_is_faster_than_the_line(clocks_per_bit: int) -> None:
    data = random.Random(clocks_per_bit).randbytes(100_000)
    with (
        VirtualBoard(Echo(clocks_per_bit=clocks_per_bit), clocks_per_bit=clocks_per_bit) as board,
        serial.Serial(board.port, timeout=30, write_timeout=30) as port,
    ):
        before = board.cycles
        port.write(data)
        assert port.read(len(data)) == data
        assert board.cycles - before >= 10 * clocks_per_bit * len(data)


def test_port_may_be_opened_again(waves: Path | None) -> None:
    with VirtualBoard(Echo(clocks_per_bit=8), clocks_per_bit=8, waves=waves) as board:
        for message in (b"first", b"second"):
            with serial.Serial(board.port, timeout=10) as port:
                port.write(message)
                assert port.read(len(message)) == message


def test_waveforms_show_the_line(tmp_path: Path) -> None:
    file = tmp_path / "echo.vcd"
    with (
        VirtualBoard(Echo(clocks_per_bit=8), clocks_per_bit=8, waves=file) as board,
        serial.Serial(board.port, timeout=10) as port,
    ):
        port.write(b"U")
        assert port.read(1) == b"U"
    assert " tx " in file.read_text()


def test_cycles_are_those_of_the_run_once_it_stopped() -> None:
    board = VirtualBoard(Echo(clocks_per_bit=8), clocks_per_bit=8)
    with board:
        running = board.cycles
    assert board.cycles >= running > 0
    assert board.cycles == board.cycles


def test_a_line_with_low_stop_bits_loses_bytes_and_counts_them(echo: str) -> None:
    data = random.Random(1).randbytes(3000)
    with VirtualBoard(echo, clocks_per_bit=8) as board, serial.Serial(board.port, timeout=2) as port:
        board.disturb(LineRates(stop=0.02, seed=1))
        port.write(data)
        received = port.read(len(data))
        # The echo takes a low stop bit for a start bit, too, and may lose the byte after it.
        stops, lost = board.faults.stops, len(data) - len(received)
        assert 60 < stops <= lost <= 2 * stops
        board.disturb(LineRates(skew=0.02))
        port.write(data)
        assert port.read(len(data)) == data


def test_a_line_that_nothing_drives_looks_like_bytes(echo: str) -> None:
    with VirtualBoard(echo, clocks_per_bit=8) as board, serial.Serial(board.port, timeout=1) as port:
        board.disturb(LineRates(floating=0.01, line_break=0.001, noise=0.001, seed=1))
        assert len(port.read(1000)) > 100
        faults = board.faults
        assert min(faults.floats, faults.breaks, faults.pulses) > 0 and faults.edges > 100


def test_an_unplugged_port_is_gone_and_the_board_is_at_another(echo: str) -> None:
    with VirtualBoard(echo, clocks_per_bit=8) as board:
        with serial.Serial(board.port, timeout=10) as port:
            board.unplug()
            with pytest.raises(serial.SerialException):
                port.read(1)
        with serial.Serial(board.port, timeout=10) as port:
            port.write(b"U")
            assert port.read(1) == b"U"
            board.reset()
            port.write(b"V")
            assert port.read(1) == b"V"


def test_failed_assertion_of_the_gateware_is_an_error() -> None:
    with (
        pytest.raises(VirtualBoardError, match=r"top.v:\d+: Assertion failed"),
        VirtualBoard(Echo(clocks_per_bit=8, fails_on=0x55), clocks_per_bit=8) as board,
        serial.Serial(board.port, timeout=1) as port,
    ):
        port.write(b"U")
        board.wait()


def test_board_ends_with_a_killed_host() -> None:
    program = (
        "import os, signal; from sim.virtual_board import VirtualBoard; from tests.sim.designs import Echo\n"
        "with VirtualBoard(Echo(clocks_per_bit=8), clocks_per_bit=8) as board:\n"
        "    print(board.port, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    host = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, timeout=60)
    assert host.returncode == -signal.SIGKILL
    port = Path(host.stdout.strip())
    deadline = time.monotonic() + 10
    while port.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not port.exists()
