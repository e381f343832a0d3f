"""Budgets: memories are counted as the hard blocks hold them, and what does not fit is refused by name."""

import pytest

import boards
from hw.plan import MOST_DELAY, DoesNotFitError, check, demand, fold, requirements
from hw.technology import ECP5, ICE40UP5K, MemoryShape, Resources, Storage, Technology
from sw.network import Network


@pytest.mark.parametrize(
    ("technology", "width", "depth", "blocks"),
    [
        (ICE40UP5K, 16, 256, 1),
        (ICE40UP5K, 17, 24, 2),
        (ICE40UP5K, 16, 257, 2),
        (ICE40UP5K, 2, 2048, 1),
        (ECP5, 36, 512, 1),
        (ECP5, 37, 64, 2),
        (ECP5, 9, 2048, 1),
    ],
)
def test_memory_takes_its_blocks_once_per_read_port(
    technology: Technology, width: int, depth: int, blocks: int
) -> None:
    for read_ports in (1, 2):
        memory = MemoryShape(name="nodes", width=width, depth=depth, read_ports=read_ports, count=3)
        assert technology.block_rams(memory) == 3 * read_ports * blocks


def test_demand_counts_a_memory_where_it_lies() -> None:
    memories = [
        MemoryShape(name="nodes", width=16, depth=24, count=4),
        MemoryShape(name="records", width=48, depth=16384, storage=Storage.SINGLE_PORT),
        MemoryShape(name="queue", width=16, depth=8, storage=Storage.LOGIC),
    ]
    need = demand(technology=ICE40UP5K, multipliers=7, memories=memories, logic=2000)
    assert need == Resources(logic=2000, multipliers=7, block_ram=4, single_port_ram=3)


def test_single_port_memory_is_refused_where_there_is_none() -> None:
    memory = MemoryShape(name="records", width=16, depth=16384, storage=Storage.SINGLE_PORT)
    with pytest.raises(ValueError, match="records: ECP5 has no single-port RAM"):
        demand(technology=ECP5, multipliers=0, memories=[memory])


HAVE = Resources(logic=5280, block_ram=30, multipliers=8, single_port_ram=4)


def test_budget_may_be_used_up() -> None:
    check(need=HAVE, have=HAVE, what="norm2", board="icebreaker")


def test_refusal_names_every_broken_budget_and_no_other() -> None:
    need = Resources(logic=5280, block_ram=31, multipliers=14)
    with pytest.raises(DoesNotFitError) as refusal:
        check(need=need, have=HAVE, what="norm8 with 2 lanes", board="icebreaker")
    assert str(refusal.value) == (
        "norm8 with 2 lanes needs 31 block RAMs, icebreaker has 30; 14 multipliers, icebreaker has 8"
    )


@pytest.mark.parametrize(
    ("board", "network", "interval"),
    [
        ("icebreaker", Network.two_layer(2, 8, (4, 32)), 8),
        ("icebreaker", Network.two_layer(2, 8, (4, 16), outputs=4), 16),
        ("ulx3s", Network.chain((12, 60, 10, 4), (4, 8, 16)), 30),
        ("ulx3s", Network.chain((6, 53, 11, 4, 1), (4, 8, 8, 16)), 53),
    ],
    ids=str,
)
def test_the_folding_that_is_found_fits_and_is_fast(board: str, network: Network, interval: int) -> None:
    design = fold(boards.find(board), network)
    check(need=requirements(design), have=design.board.budget, what=str(network), board=board)
    assert design.configuration.interval == interval
    assert max(design.configuration.delays) <= MOST_DELAY


def test_a_folding_keeps_groups_for_pretraining_apart() -> None:
    network = Network.two_layer(4, 16, (4, 8), outputs=2)
    free, grouped = (fold(boards.find("ulx3s"), network, pretraining=addends) for addends in (0, 2))
    assert free.foldings[-1].taps > 2 >= grouped.foldings[-1].taps
    assert grouped.foldings[-1].lanes == 2 and grouped.configuration.pretraining == 2


def test_a_network_that_fits_no_folding_is_refused() -> None:
    with pytest.raises(DoesNotFitError, match="11 multipliers, icebreaker has 8"):
        fold(boards.find("icebreaker"), Network.chain((2, 4, 4, 4, 1), (2, 2, 2, 2)))
