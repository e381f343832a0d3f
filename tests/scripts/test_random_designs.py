"""A few random designs in every run; and a design that disagrees is found, and can be repeated."""

import json
import re
import shlex
from typing import Any

import pytest
from amaranth import Value
from hypothesis import given, settings

from hw.datapath import trainer
from scripts.studies import random_designs
from scripts.studies.design_cases import Case, cases
from scripts.studies.random_designs import COMMAND, DisagreementError, check, search

KNOWN = 2
"""Networks whose kernels other tests compile, too: the first ones of `KERNEL_NETWORKS`."""


def test_random_designs_agree():
    seen: list[Case] = []
    search(8, 3, kernel_networks=KNOWN, checked=seen.append)
    assert len(seen) == 8 and len({case.describe() for case in seen}) == 8
    assert len({len(case.design.network.layers) for case in seen}) > 1
    assert any(case.compiled for case in seen)


@settings(max_examples=30)
@given(cases(verilated_in=3))
def test_a_description_makes_an_equal_case(case):
    assert Case.from_text(case.describe()) == case


@pytest.fixture
def wrong_residuals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gateware's residuals be one too many where they are negative."""

    def limit_error(value: Value, word: Any) -> Value:
        return value + (value < 0)

    monkeypatch.setattr(trainer, "limit_error", limit_error)


def test_gateware_that_rounds_otherwise_is_found_and_the_command_repeats_it(wrong_residuals):
    with pytest.raises(DisagreementError) as raised:
        search(40, 1, kernel_networks=0, smallest=False)
    text = re.search(f"{re.escape(COMMAND)} (.*)", str(raised.value))
    assert text
    (described,) = shlex.split(text[1])
    case = Case.from_text(described)
    with pytest.raises(DisagreementError, match="simulator"):
        check(case)


def test_the_command_checks_one_design(tmp_path):
    seen: list[Case] = []
    search(1, 5, kernel_networks=0, checked=seen.append)
    figures = tmp_path / "figures.json"
    assert random_designs.main(["--design", seen[-1].describe(), "--json", str(figures)]) == 0
    assert json.loads(figures.read_text())["designs"] == 1


@pytest.mark.parametrize("text", ["{}", "[]", '"design"', "nonsense"])
def test_a_text_that_describes_no_design_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        random_designs.main(["--design", text])
    assert "Traceback" not in capsys.readouterr().err
