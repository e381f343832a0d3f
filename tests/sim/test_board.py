import signal
import subprocess
import sys

import serial


def test_command_tells_the_port_and_ends_when_told() -> None:
    program = (
        "from sim.board import main; from tests.sim.designs import Echo\n"
        "main(lambda board, network: (Echo(clocks_per_bit=8), 8), ['--board', 'icebreaker'])"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "/dev/" in line)
        port = next(word for word in line.split() if word.startswith("/dev/"))
        with serial.Serial(port, timeout=10) as host:
            host.write(b"hello")
            assert host.read(5) == b"hello"
        process.send_signal(signal.SIGTERM)
        assert "cycles simulated" in process.stdout.read()
    assert process.returncode == 0
