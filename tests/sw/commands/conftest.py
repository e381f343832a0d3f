"""A trained model and a virtual board, each made once for all verbs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import boards
from hw.plan.search import search
from hw.soc.soc import Soc
from sim.virtual_board import VirtualBoard
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


@pytest.fixture(scope="session")
def port() -> Iterator[str]:
    """The port of a virtual board with the network of norm2: the design that the demo and `simulate` have, so that all
    tests compile one simulator."""
    target = boards.find("icebreaker")
    design = search(target, PRESETS["norm2"].network, taps=2).design
    with VirtualBoard(Soc(design), clocks_per_bit=target.clocks_per_bit) as board:
        yield board.port
