"""The documentation: its commands run as written, its options, files, names and links exist.

Fenced blocks of README.md and docs/ in `sh` and `python` run in order, in a scratch directory for each document. An
HTML comment directly above a block changes that:

- `<!-- test: slow -->`: it runs with `scripts/test --all` only, which then runs the whole document.
- `<!-- test: background -->`: it runs until the document's end; the port that it prints replaces `PORT` below it.
- `<!-- test: hardware -->`: it needs a board, and never runs.

All commands are parsed, those within sentences, too.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.warm import commands

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
GUIDES = [ROOT / "CONTRIBUTING.md"]  # whose files, names and links exist; its commands change the repository
MARKERS = ("slow", "background", "hardware")
PORT = "/dev/pts/3"  # of the virtual board, as the documents have it
FOLDERS = ("boards", "docs", "hw", "kanloom", "scripts", "sim", "sw", "tests")
VERBS_OF_MODULES = {"sw": None, "hw.plan": "plan", "hw.build": "build", "sim.board": "simulate"}
STUDIES = "scripts/studies/"
OTHERS = ("cd", "iceprog", "make", "openFPGALoader", "sh", "source")  # programs that are not ours
BEFORE = (("mpiexec", "-n", "4"), ("/usr/bin/time", "-v"))  # what a command may begin with
OPERATORS = ("&&", "||", ";", "|", "&")


@dataclass(frozen=True)
class Block:
    """A fenced block of a document.

    Attributes
    ----------
    language : str
        What stands behind its fence.
    marker : str or None
        What the comment above it says.
    text : str
        The lines between the fences.
    """

    language: str
    marker: str | None
    text: str

    @property
    def is_program(self) -> bool:
        """Whether it could run."""
        return self.language in ("sh", "python")

    @property
    def commands(self) -> list[list[str]]:
        """The commands of a block in `sh`, a list of words each."""
        return [words for line in self.text.replace("\\\n", " ").splitlines() for words in _split(line)]


def _split(line: str) -> Iterator[list[str]]:
    """Yield the commands of a line, without comments and the operators between them."""
    words: list[str] = []
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for word in lexer:
        if word not in OPERATORS:
            words.append(word)
        elif words:
            yield words
            words = []
    if words:
        yield words


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document."""
    pattern = r"(?:^<!-- test: (.*?) -->\n)?^```(\w*)\n(.*?)^```$"
    found = re.findall(pattern, document.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(language, marker or None, text) for marker, language, text in found]


def sentences(document: Path) -> str:
    """Return a document without its blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def inline(document: Path) -> list[str]:
    """Return what stands between backticks in sentences and tables."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", sentences(document))]


def name_of(document: Path) -> str:
    """Return a document's path, for the names of tests."""
    return document.relative_to(ROOT).as_posix()


def runnable(document: Path, *, slow: bool) -> list[Block]:
    """Return the blocks that run."""
    markers = {None, "background", "slow"} if slow else {None, "background"}
    return [block for block in blocks(document) if block.is_program and block.marker in markers]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A directory in which a document's commands find what they find in the repository.

    `scripts/demo` stands for the real one without its set-up of `.venv`; `scripts/test` does nothing, since it is what
    runs this test. `kanloom` and the programs in Python run in processes of `tests.warm`, after its imports.
    """
    environment = tmp_path / ".venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "activate").write_text(f"source {sys.prefix}/bin/activate\nPATH={environment}:$PATH\n")
    (environment / "kanloom").write_text(commands().script())
    (environment / "kanloom").chmod(0o755)
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "studies").symlink_to(ROOT / STUDIES)
    for name, line in (("demo", f'exec python {ROOT}/scripts/demo.py "$@"'), ("test", "true")):
        (scripts / name).write_text(f"#!/bin/sh\n{line}\n")
        (scripts / name).chmod(0o755)
    return tmp_path


def run(document: Path, directory: Path, *, slow: bool) -> None:
    """Run a document's blocks in order, and stop at the first that fails."""
    path = (directory / ".venv" / "bin", Path(sys.executable).parent, os.environ["PATH"])
    environment = os.environ | {"PATH": os.pathsep.join(map(str, path))}
    port = PORT
    with ExitStack() as background:
        for block in runnable(document, slow=slow):
            text = block.text.replace(PORT, port)
            shell = ["bash", "-e", "-o", "pipefail", "-c", text]
            if block.marker == "background":
                port = background.enter_context(running(shell, directory, environment))
                continue
            if block.language == "sh":
                done = subprocess.run(
                    shell, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
                )
            else:
                done = commands().run(["-c", text], directory, environment)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


@contextmanager
def running(command: list[str], directory: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a command during a `with` block; yield the port that it prints."""
    with subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            ports = (found[0] for line in process.stdout if (found := re.search(r"/dev/[\w/]+", line)))
            port = next(ports, None)
            assert port, f"{command[-1]} ended without printing a port"
            yield port
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if runnable(path, slow=False)], ids=name_of)
def test_the_commands_run_as_written(document: Path, scratch: Path) -> None:
    run(document, scratch, slow=False)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if runnable(path, slow=True) != runnable(path, slow=False)], ids=name_of
)
def test_the_slow_commands_run_as_written(document: Path, scratch: Path) -> None:
    run(document, scratch, slow=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_markers_are_known_and_stand_above_a_block_with_a_command(document: Path) -> None:
    found = blocks(document)
    markers = [block.marker for block in found if block.marker]
    assert len(markers) == len(re.findall(r"<!--", document.read_text())), "a comment stands above no block"
    for block in found:
        assert block.marker in (None, *MARKERS)
        assert block.is_program or not block.marker
        assert block.language in ("", "sh", "python", "toml")
        assert block.language != "sh" or block.commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_parses(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [words for block in blocks(document) if block.language == "sh" for words in block.commands]
    commands += [shlex.split(text.partition("\n")[0][2:]) for text in texts(document) if text.startswith("$ ")]
    for words in commands:
        check(words, monkeypatch)


def texts(document: Path) -> list[str]:
    """Return the blocks in no language."""
    return [block.text for block in blocks(document) if not block.language]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_in_a_sentence_parses(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = {"kanloom", "python", "scripts/demo", "scripts/test", *(before[0] for before in BEFORE)}
    for code in inline(document):
        match shlex.split(code):
            case ["kanloom", "VERB", "--help"]:
                pass
            case ["kanloom", verb]:  # a name, not a command
                assert verb in verb_names()
            case [start, _, *_] as words if start in starts:
                check(words, monkeypatch)


class Parsed(Exception):
    """A command line was parsed, and is not run."""


def check(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that a command exists and takes its arguments."""
    for before in BEFORE:
        if tuple(words[: len(before)]) == before:
            words = words[len(before) :]
    match words:
        case ["kanloom", *arguments]:
            verb_parser(arguments[0]).parse_args(arguments)
        case ["python", "-m", module, *arguments] if module in VERBS_OF_MODULES:
            named = VERBS_OF_MODULES[module]
            given = [named, *arguments] if named else arguments
            verb_parser(given[0]).parse_args(given)
        case ["python", "-m", module, *arguments]:
            parse_of_main(module, arguments, monkeypatch)
        case ["python", path, *arguments] if path.startswith(STUDIES):
            parse_of_main(path.removesuffix(".py").replace("/", "."), arguments, monkeypatch)
        case ["scripts/demo", *arguments]:
            online = arguments[:1] == ["online"]
            demo_parser(online=online).parse_args(arguments[online:])
        case ["scripts/test", *arguments]:
            assert set(arguments) <= {"--all"}
        case [program, *_]:
            assert program in OTHERS, f"{program} is no program that the documents may use"


def verb_names() -> list[str]:
    """Return the names of all verbs."""
    from sw.commands.verbs import VERBS

    return [verb.name for verb in VERBS]


@cache
def verb_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, with the options of one verb."""
    from sw.commands import command_line, verbs

    return command_line.verbs_parser("kanloom", [verbs.find(name)])


@cache
def demo_parser(*, online: bool) -> argparse.ArgumentParser:
    """Return the parser of scripts/demo, or of scripts/demo online."""
    from scripts.demo import ONLINE, chosen
    from sw.commands import command_line

    verb, program = chosen([ONLINE] if online else [])
    parser = command_line.Parser(prog=program)
    command_line.declare(parser, verb)
    return parser


def parse_of_main(module: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a module's `main` parse arguments, and no more."""
    parse_args = argparse.ArgumentParser.parse_args

    def parse_only(parser: argparse.ArgumentParser, *given: list[str]) -> None:
        parse_args(parser, *given)
        raise Parsed

    with monkeypatch.context() as patch, pytest.raises(Parsed):
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
        import_module(module).main(arguments)


@pytest.mark.parametrize("document", [*DOCUMENTS, *GUIDES], ids=name_of)
def test_every_option_in_a_sentence_exists(document: Path) -> None:
    sources = "".join(path.read_text() for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.py"))
    for code in inline(document):
        if code.startswith("--"):
            assert f'"{code.split()[0]}"' in sources or code == "--all", code


@pytest.mark.parametrize("document", [*DOCUMENTS, *GUIDES], ids=name_of)
def test_every_file_and_name_exists(document: Path) -> None:
    for code in inline(document):
        if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", code) and not re.search("NAME|VERB|FAMILY", code):
            assert (ROOT / code).exists(), code
        elif re.fullmatch(r"(boards|hw|kanloom|sim|sw)(\.\w+)+", code) and code != "kanloom.boards":
            pkgutil.resolve_name(code)


@pytest.mark.parametrize("document", [*DOCUMENTS, *GUIDES], ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = sentences(document)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    for target in targets:
        if re.match(r"https?://", target):
            continue
        path, _, heading = target.partition("#")
        found = document.parent / path if path else document
        assert found.exists(), target
        assert not heading or heading in headings(found), target


def headings(document: Path) -> list[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    found = re.findall(r"^#+ (.*)$", sentences(document), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found]
