"""Numbers of the command line have bounds: what is beyond them is refused at once, in one line that names them."""

import argparse
import math
import re
from pathlib import Path

import pytest

from sw.commands import command_line
from sw.commands.verbs import VERBS

REFUSED = [
    (["stream", "norm2", "--port", "p", "--baud", "12345678901"], "'12345678901' must be a whole number from 300 to "),
    (["devices", "--baud", "1"], "'1' must be a whole number from 300 to 12000000"),
    (["plan", "--board", "ulx3s", "--clock", "nan"], "'nan' must be a number from 0.1 to 1000"),
    (["plan", "--board", "ulx3s", "--clock", "-1"], "'-1' must be a number from 0.1 to 1000"),
    (["plan", "--board", "ulx3s", "--chart", "-1"], "'-1' must be a whole number from 1 to 1000"),
    (["plan", "--board", "ulx3s", "--chart", "100000000"], "must be a whole number from 1 to 1000"),
    (["plan", "--board", "ulx3s", "--taps", "99999999999999999999"], "must be a whole number from 1 to 65536"),
    (["plan", "--board", "ulx3s", "--network", "9-99999999-1"], "must be 2 to 65 sizes of layers, each from 1 to"),
    (["build", "--board", "ulx3s", "--seed", "-1"], "must be whole numbers from 0 to 2147483647"),
    (["train", "norm2", "--checkpoint-seconds", "nan"], "'nan' must be a number from 0 to 1"),
    (["train", "norm2", "--checkpoint-seconds", "inf"], "'inf' must be a number from 0 to 1"),
    (["train", "norm2", "--relaxation", "nan"], "'nan' must be a number from 0.001 to 2"),
    (["train", "norm2", "--relaxation", "3"], "'3' must be a number from 0.001 to 2"),
    (["train", "norm2", "--epochs", "100000000"], "'100000000' must be a whole number from 1 to 1000000"),
    (["train", "norm2", "--records", "100000000000000"], "must be a whole number from 1 to 10000000000"),
    (["train", "norm2", "--holdout", "100000000000000"], "must be a whole number from 1 to 10000000000"),
    (["train", "norm2", "--threads", "100000"], "'100000' must be a whole number from 1 to 1024"),
    (["train", "norm2", "--models", "100000"], "'100000' must be a whole number from 1 to 4096"),
    (["train", "norm2", "--round-records", "0"], "'0' must be a whole number from 1 to 10000000000"),
    (["train", "norm2", "--seed", "99999999999999999999"], "must be a whole number from 0 to 9223372036854775807"),
    (["train", "norm2", "--pretraining", "1:1000000000"], "with 1 to 65536 addends and 1 to 1000000 epochs"),
    (["train", "norm2", "--segments", "2,99999999"], "must be whole numbers from 2 to 4194304"),
    (["bench", "norm2", "--trials", "0"], "'0' must be a whole number from 1 to 1000000"),
    (["bench", "norm2", "--seeds", "1e3"], "'1e3' must be a whole number from 1 to 10000"),
    (["predict", "m.npz", "f.csv", "--threads", "100000"], "'100000' must be a whole number from 1 to 1024"),
    (["data", "norm2", "--records", "100000000000000"], "must be a whole number from 1 to 10000000000"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: " ".join(value)[:60])
def test_a_number_beyond_its_bounds_is_refused_in_a_line_that_names_them(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        command_line.run(arguments)
    said = capsys.readouterr().err
    assert stop.value.code == 2 and message in said and said.count("\n") == 1


def test_every_option_that_takes_a_number_has_bounds():
    """Parsers of numbers alone accept what is huge, and NaN."""
    parser = command_line.verbs_parser("kanloom", VERBS)
    verbs = next(action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    options = [(name, action) for name, verb in verbs.items() for action in verb._actions]
    assert not [(name, action.dest) for name, action in options if action.type in (int, float) and not action.choices]
    bounded = [action for _, action in options if action.type not in (None, int, Path)]
    assert len(bounded) > 20
    for action in bounded:
        for text in ("9" * 400, "-1", "nan", "1e400", math.pi.hex()):
            with pytest.raises(argparse.ArgumentTypeError) as error:
                action.type(text)
            assert re.search(r"from \d|with 1 to|there is no preset", str(error.value)), action.dest
            assert action.dest == "network" or len(str(error.value)) < 200


def test_records_that_no_memory_can_hold_are_refused_before_it_is_taken(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command_line.run(["data", "det4", "--records", "10000000000"]) == 1
    assert re.match(
        r"error: 10,000,000,000 records of det4 take 1,360.0 GB; this computer has .* GB of memory\n",
        capsys.readouterr().err,
    )
