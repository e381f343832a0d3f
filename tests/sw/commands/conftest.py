"""A trained model, made once for all verbs, and a virtual board, whose simulator is compiled once."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import boards
from hw.flow.tools import emit_verilog
from hw.plan.search import search
from hw.soc.soc import Soc
from sim.virtual_board import VirtualBoard, VirtualBoardError
from sw import datasets
from sw.presets.catalogue import PRESETS
from tests.sw.commands.running import SMALL, sw

BOARD = boards.find("icebreaker")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model, model.npz, the figures of its training, and two files of records."""
    folder = tmp_path_factory.mktemp("commands")
    sw("train", "norm2", *SMALL, "--epochs", 5, "--output", folder / "model.npz", "--json", folder / "train.json")
    records = datasets.generate("norm2", 400, seed=3)
    for suffix in (".csv", ".npy"):
        datasets.write(records, folder / f"norm{suffix}")
    return folder


@pytest.fixture(scope="session")
def gateware() -> str:
    """Verilog of the design that the demo and `simulate` have, too, so that all tests compile one simulator."""
    return emit_verilog(Soc(search(BOARD, PRESETS["norm2"].network, taps=2).design))


@pytest.fixture(scope="module")
def port(gateware: str) -> Iterator[str]:
    """The port of a virtual board with the network of norm2. It ends with the module: a board takes processor time when
    it is idle, too."""
    with VirtualBoard(gateware, clocks_per_bit=BOARD.clocks_per_bit) as board:
        yield board.port


@pytest.fixture
def board(gateware: str) -> Iterator[VirtualBoard]:
    """A virtual board for a test that stops it or kills it."""
    with suppress(VirtualBoardError), VirtualBoard(gateware, clocks_per_bit=BOARD.clocks_per_bit) as board:
        yield board
