"""Commands in processes that are forked from one that has loaded the libraries already.

Most of a short command's time is imports. `Commands` starts this module as a program, once for all tests of a process;
the program imports the libraries, and for each command forks a process that has the caller's arguments, directory,
environment and files, and an exit status of its own. What it starts from holds nothing of a test. `kanloom` of `script`
asks for such a process, too: tests of documents put it on the path.

Tests of the start itself (its time, Ctrl-C while modules are imported, the console script) start a real interpreter.
"""

import array
import atexit
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]

LOADED = (
    "kanloom",
    "matplotlib.figure",
    "pyarrow.parquet",
    "sklearn.ensemble",
    "sw.commands.command_line",
    "sw.commands.verbs",
    "sw.engine.training",
    "sw.estimators",
    "sw.online.learner",
    "sw.__main__",
)
"""Modules that are loaded before the first command; a module that starts a thread must not be among them."""

SCRIPT = """#!{python} -IS
import array, json, os, signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    command = {{"arguments": ["kanloom", *sys.argv[1:]], "directory": os.getcwd(), "environment": dict(os.environ)}}
    files = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    server.sendmsg([json.dumps(command).encode() + b"\\n"], files)
    sys.exit(int(server.recv(16)))
"""


class Commands:
    """The program of this module, which ends with the process that started it."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="kanloom-"))
        self._address = self._directory / "commands"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self._address))
        listening.listen(64)
        life, self._life = socket.socketpair()
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listening.fileno()), str(life.fileno()), str(self._directory)],
            cwd=ROOT,
            env=environment,
            pass_fds=(listening.fileno(), life.fileno()),
            start_new_session=True,
        )
        listening.close()
        life.close()

    def run(
        self,
        arguments: Sequence[str],
        directory: Path = ROOT,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Parameters
        ----------
        arguments
            As `sys.argv` has them: the command's name first. `-c` stands for a program, whose text follows.
        directory
            Where it runs.
        environment
            Its variables; without them, those of this process.

        Returns
        -------
        subprocess.CompletedProcess
            Its status, and what it wrote.
        """
        with (
            socket.socket(socket.AF_UNIX) as server,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as error,
            open(os.devnull) as nothing,
        ):
            server.connect(str(self._address))
            command = {
                "arguments": list(arguments),
                "directory": str(directory),
                "environment": dict(os.environ) if environment is None else environment,
            }
            files = array.array("i", [nothing.fileno(), out.fileno(), error.fileno()])
            server.sendmsg([json.dumps(command).encode() + b"\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            status = int(server.recv(16))
            texts = []
            for file in (out, error):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(list(arguments), status, *texts)

    def script(self) -> str:
        """Return the text of a program `kanloom` that asks for a process."""
        return SCRIPT.format(python=sys.executable, address=str(self._address))


@cache
def commands() -> Commands:
    """Return the commands of this process, whose libraries are loaded once."""
    return Commands()


def serve(listening: socket.socket, life: socket.socket) -> None:
    """Fork a process for each command, until the other end of `life` is closed."""
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        selector.register(life, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is life:
                    return
                if key.fileobj is listening:
                    client, _ = listening.accept()
                    child = _begun(client)
                    ended = os.pidfd_open(child)
                    selector.register(ended, selectors.EVENT_READ, (child, client))
                    selector.register(client, selectors.EVENT_READ, child)
                elif isinstance(key.fileobj, socket.socket):  # the process that asked has ended
                    with suppress(KeyError, ValueError, ProcessLookupError):  # or has just had its answer
                        selector.unregister(key.fileobj)
                        os.kill(key.data, signal.SIGTERM)
                else:
                    child, client = key.data
                    selector.unregister(key.fileobj)
                    os.close(key.fd)
                    with suppress(KeyError):
                        selector.unregister(client)
                    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                    with suppress(BrokenPipeError):
                        client.sendall(str(status).encode())
                    client.close()


def _begun(client: socket.socket) -> int:
    """Read a command; return the process that runs it."""
    text, files, _, _ = socket.recv_fds(client, 1 << 16, 3)
    while not text.endswith(b"\n"):
        text += client.recv(1 << 16)
    if child := os.fork():
        for file in files:
            os.close(file)
        return child
    client.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    _run(**json.loads(text))


def _run(arguments: list[str], directory: str, environment: dict[str, str]) -> NoReturn:
    """Run a command in this process, and end it as an interpreter would."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    status: Any = 1
    try:
        if arguments[0] == "-c":
            sys.argv = ["-c"]
            sys.path[0] = ""
            main = sys.modules["__main__"] = type(sys)("__main__")
            exec(compile(arguments[1], "<string>", "exec"), main.__dict__)
            status = 0
        else:
            sys.argv = arguments
            status = import_module("sw.__main__").main()
    except SystemExit as exit:
        status = exit.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    with suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


def main() -> None:
    """Load the libraries, then serve."""
    listening, life = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    for module in LOADED:
        import_module(module)
    import_module("numba").njit(lambda: None)()  # loads what the first kernel of a process loads
    serve(listening, life)
    shutil.rmtree(sys.argv[3], ignore_errors=True)


if __name__ == "__main__":
    main()
