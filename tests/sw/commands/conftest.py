"""A trained model and a virtual board, each made once for all verbs."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import boards
from hw.plan.search import search
from hw.soc.soc import Soc
from sim.verilator import emit_verilog
from sim.virtual_board import VirtualBoard, VirtualBoardError
from sw import datasets
from sw.presets.catalogue import PRESETS
from tests.sw.commands.running import SMALL, sw


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model, model.npz, the figures of its training, and two files of records."""
    folder = tmp_path_factory.mktemp("commands")
    sw("train", "norm2", *SMALL, "--epochs", 5, "--output", folder / "model.npz", "--json", folder / "train.json")
    records = datasets.generate("norm2", 400, seed=3)
    for suffix in (".csv", ".npy"):
        datasets.write(records, folder / f"norm{suffix}")
    return folder


CLOCKS_PER_BIT = boards.find("icebreaker").clocks_per_bit


@pytest.fixture(scope="session")
def gateware() -> str:
    """The Verilog of a board with the network of norm2: the design that the demo and `simulate` have, so that all tests
    compile one simulator."""
    design = search(boards.find("icebreaker"), PRESETS["norm2"].network, taps=2).design
    return emit_verilog(Soc(design))


@pytest.fixture(scope="session")
def port(gateware: str) -> Iterator[str]:
    """The port of a virtual board that all tests share."""
    with VirtualBoard(gateware, clocks_per_bit=CLOCKS_PER_BIT) as board:
        yield board.port


@pytest.fixture
def board(gateware: str) -> Iterator[VirtualBoard]:
    """A virtual board for a test that stops it or kills it."""
    with suppress(VirtualBoardError), VirtualBoard(gateware, clocks_per_bit=CLOCKS_PER_BIT) as board:
        yield board
