"""The plan command: what it says of a design that fits, and of one that does not."""

import pytest

from hw.plan.__main__ import main

SMALL = ["--board", "icebreaker", "--features", "2", "--addends", "4", "--segments", "4,8"]


def test_design_that_fits_is_to_be_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SMALL) == 0
    assert "to build it: python -m hw.build" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([*SMALL, "--lanes", "4", "--taps", "2"], "multipliers, icebreaker has 8"),
        (["--board", "hx8k", "--network", "norm8"], "block RAMs, hx8k has 32"),
    ],
)
def test_design_that_does_not_fit_is_shown_and_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 1
    out, err = capsys.readouterr()
    assert "cycles per record" in out and "to build it" not in out
    assert message in err
