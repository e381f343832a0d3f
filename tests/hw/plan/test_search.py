"""Budgets: memories are counted as the hard blocks hold them, and what does not fit is refused by name."""

from dataclasses import replace

import pytest

import boards
from hw.design.design import STORE_WORDS, Design
from hw.fpga.artix7 import ARTIX7
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.fpga.resources import MemoryShape, Resources, Storage, shortfalls
from hw.fpga.technology import Technology
from hw.plan.cost_model import (
    DoesNotFitError,
    breaches,
    check,
    demand,
    expected_fmax,
    hard_requirements,
    logic_of,
    requirements,
)
from hw.plan.search import (
    LEAST_STORE_WORDS,
    MAX_STALENESS,
    OBJECTIVES,
    foldings,
    memory_requirements,
    nanoseconds,
    objection,
    search,
    with_store,
)
from sw.presets.catalogue import PRESETS
from sw.spec.network import Network
from tests.slow import slow

SMALL = Network.two_layer(2, 4, (4, 8))


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
    nodes = MemoryShape(name="nodes", width=16, depth=24, count=4)
    records = MemoryShape(name="records", width=48, depth=16384, storage=Storage.SINGLE_PORT)
    queue = MemoryShape(name="queue", width=16, depth=8, storage=Storage.LOGIC)
    need = demand(technology=ICE40UP5K, multipliers=7, memories=[nodes, records], logic=2000)
    assert need == Resources(logic=2000, multipliers=7, block_ram=4, single_port_ram=3)
    need = demand(technology=ECP5, multipliers=7, memories=[nodes, queue], logic=2000)
    assert need == Resources(logic=2000 + 24, multipliers=7, block_ram=4)


@pytest.mark.parametrize(
    ("technology", "width", "depth", "cells"),
    [(ECP5, 16, 16, 24), (ECP5, 18, 17, 78), (ECP5, 4, 33, 26), (ARTIX7, 7, 33, 23)],
)
def test_memory_in_logic_takes_cells_that_hold_it_and_cells_that_choose(
    technology: Technology, width: int, depth: int, cells: int
) -> None:
    memory = MemoryShape(
        name="nodes", width=width, depth=depth, storage=technology.storage(depth), read_ports=2, count=3
    )
    assert technology.memory_logic(memory) == 3 * 2 * cells
    with pytest.raises(ValueError, match="nodes: logic cells of iCE40UP5K hold no memory"):
        ICE40UP5K.memory_logic(memory)


def test_single_port_memory_is_refused_where_there_is_none() -> None:
    memory = MemoryShape(name="records", width=16, depth=16384, storage=Storage.SINGLE_PORT)
    with pytest.raises(ValueError, match="records: ECP5 has no single-port RAM"):
        demand(technology=ECP5, multipliers=0, memories=[memory])


@pytest.mark.parametrize(
    ("board", "width", "multipliers"), [("icebreaker", 16, 7), ("icebreaker", 17, 0), ("ulx3s", 18, 7), ("hx8k", 12, 0)]
)
def test_products_that_no_multiplier_takes_are_logic(board: str, width: int, multipliers: int) -> None:
    design = Design(board=boards.find(board), network=Network.two_layer(2, 8, (4, 8), width=width), taps=2)
    technology, need = design.board.technology, requirements(design)
    assert need.multipliers == multipliers
    cells = round(technology.multiplier_logic * width * (width + 1))
    others = logic_of(design) + memory_requirements(design).logic
    assert need.logic == others + 7 * (0 if multipliers else cells)


@pytest.mark.parametrize(("name", "hard", "of_logic"), [("icebreaker", 5, 2), ("hx8k", 0, 7), ("ulx3s", 9, 0)])
def test_products_that_are_too_many_for_a_board_are_logic(name: str, hard: int, of_logic: int) -> None:
    board = boards.find(name)
    board = replace(board, budget=replace(board.budget, multipliers=hard))
    design = Design(board=board, network=Network.two_layer(2, 8, (4, 8)), taps=2)
    need = requirements(design)
    assert (need.multipliers, design.logic_products) == (min(hard, 7), of_logic)
    cells = of_logic * board.technology.product_logic(16)
    assert need.logic == logic_of(design) + memory_requirements(design).logic + cells


def test_the_search_takes_as_many_products_of_logic_as_were_placed() -> None:
    board = boards.find("ulx3s")
    few = replace(board, budget=replace(board.budget, multipliers=21))
    found = search(few, Network.two_layer(4, 16, (4, 32), gain=0))
    assert found.design.plan.multipliers == 22 and found.design.logic_products == 1
    none = replace(few, technology=replace(few.technology, mixed_products=0.0))
    assert search(none, Network.two_layer(4, 16, (4, 32), gain=0)).design.logic_products == 0


def test_a_low_latency_product_is_never_logic() -> None:
    board = boards.find("ulx3s").low_latency
    assert board and board.logic_products(16, 200) == 0


def test_a_budget_may_be_used_up() -> None:
    board = boards.find("icebreaker")
    assert not breaches(board.budget, board)


def test_a_refusal_names_every_broken_budget_and_no_other() -> None:
    need = Resources(logic=5280, block_ram=31, multipliers=14)
    said = "31 block RAMs, icebreaker has 30; 14 multipliers, icebreaker has 8"
    assert breaches(need, boards.find("icebreaker")) == said


@pytest.mark.parametrize(
    ("board", "network", "initiation_interval"),
    [
        ("icebreaker", Network.two_layer(2, 8, (4, 32)), 8),
        ("icebreaker", Network.two_layer(2, 8, (4, 16), outputs=4), 44),
        ("ulx3s", Network.chain((4, 8, 4, 2), (4, 8, 4)), 11),
        slow("ulx3s", Network.chain((12, 60, 10, 4), (4, 8, 16)), 24),
        slow("ulx3s", Network.chain((6, 53, 11, 4, 1), (4, 8, 8, 16)), 53),
    ],
    ids=str,
)
def test_the_folding_that_is_found_fits_and_is_fast(board: str, network: Network, initiation_interval: int) -> None:
    design = search(boards.find(board), network).design
    check(design)
    assert design.configuration.initiation_interval == initiation_interval
    assert max(design.configuration.staleness) <= MAX_STALENESS


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("exact", [False, True])
def test_no_folding_that_is_legal_costs_less_than_the_one_that_is_found(objective: str, exact: bool) -> None:
    board, cost = boards.find("icebreaker"), OBJECTIVES[objective].cost
    designs = [
        with_store(Design(board=board, network=SMALL, taps=taps, lanes=lanes, exact=exact))
        for taps, lanes in foldings(SMALL, 0)
    ]
    legal = [cost(design) for design in designs if not objection(design, MAX_STALENESS)]
    assert cost(search(board, SMALL, objective=objective, exact=exact).design) == min(legal)


def test_few_registers_and_a_slower_clock_are_chosen_where_they_take_fewer_nanoseconds() -> None:
    board, network = boards.find("ulx3s"), PRESETS["norm2"].network
    found = search(board, network, objective="latency", exact=True)
    assert found.design.board == board.low_latency
    schedule = found.design.plan.schedule
    assert nanoseconds(found.design, schedule.result_latency) <= 150
    assert nanoseconds(found.design, schedule.latency) <= 300
    assert any(verdict.design.board == board for verdict in found.ruled_out)
    asked = search(board, network, lanes=(8, 1), taps=2, objective="latency", exact=True).design
    assert asked == found.design
    assert search(board, network, lanes=(8, 1), taps=2, exact=True).design.board == board


def test_a_folding_keeps_groups_for_pretraining_apart() -> None:
    network = Network.two_layer(4, 16, (4, 8), outputs=2)
    free, grouped = (search(boards.find("ulx3s"), network, pretraining=addends).design for addends in (0, 2))
    assert free.foldings[-1].taps > 2 >= grouped.foldings[-1].taps
    assert grouped.foldings[-1].lanes == 2 and grouped.configuration.pretraining == 2


def test_what_was_considered_says_why_the_choice_is_the_fastest() -> None:
    """Every folding that could be faster is there, with what rules it out."""
    network = Network.two_layer(4, 16, (4, 32), gain=0)
    found = search(boards.find("ulx3s"), network)
    ruled_out, chosen = found.ruled_out, found.chosen
    assert chosen.against is None and chosen.design == found.design
    assert all(verdict.against for verdict in ruled_out)
    faster = [
        (taps, lanes)
        for taps in (1, 2, 4)
        for lanes in (1, 2, 4, 8, 16)
        if 4 // taps * 16 // lanes < chosen.design.plan.schedule.initiation_interval
    ]
    assert {(verdict.design.taps, verdict.design.lanes[0]) for verdict in ruled_out} >= set(faster)
    assert any("176 multipliers, ulx3s has 156" in str(verdict.against) for verdict in ruled_out)
    assert any("misses the updates of" in str(verdict.against) for verdict in ruled_out)


def test_who_allows_longer_delays_gets_a_record_a_clock() -> None:
    board = boards.find("ulx3s")
    patient, quick = (search(board, SMALL, max_staleness=delay).design for delay in (MAX_STALENESS, 64))
    assert max(patient.plan.schedule.staleness) <= MAX_STALENESS < max(quick.plan.schedule.staleness) <= 64
    assert quick.plan.schedule.initiation_interval == 1 and quick.plan.multipliers == SMALL.products


def test_a_folding_that_should_miss_the_clock_is_ruled_out() -> None:
    board = replace(boards.find("ulx3s"), clock_hz=109_000_000, baud=1_000_000)
    found = search(board, SMALL, max_staleness=64)
    ruled_out, chosen = found.ruled_out, found.chosen
    quickest = next(verdict for verdict in ruled_out if verdict.design.products == SMALL.products)
    assert "should reach 108 MHz in place and route, ulx3s runs at 109" in str(quickest.against)
    assert (expected_fmax(quickest.design) or 0) < board.clock_hz <= (expected_fmax(chosen.design) or 0)


def test_a_network_that_fits_no_folding_is_refused() -> None:
    with pytest.raises(DoesNotFitError, match="multipliers, icebreaker has 8"):
        _ = search(boards.find("icebreaker"), Network.chain((2, 4, 4, 4, 1), (2, 2, 2, 2))).design


def test_a_clock_that_no_folding_should_reach_is_refused() -> None:
    with pytest.raises(DoesNotFitError, match="should reach 38 MHz in place and route, icebreaker runs at 42"):
        _ = search(boards.find("icebreaker").at(42_000_000), SMALL).design


def board_with(block_ram: int) -> boards.Board:
    board = boards.find("ulx3s")
    return replace(board, budget=replace(board.budget, block_ram=block_ram))


@pytest.mark.parametrize("block_ram", [208, slow(50), slow(26), 14])
def test_the_store_has_what_block_ram_is_left(block_ram: int) -> None:
    board = board_with(block_ram)
    design = search(board, SMALL).design
    assert not shortfalls(need=requirements(design), have=board.budget)
    assert LEAST_STORE_WORDS <= design.store_words <= STORE_WORDS
    larger = replace(design, store_words=2 * design.store_words)
    assert design.store_words == STORE_WORDS or shortfalls(need=hard_requirements(larger), have=board.budget)


def test_a_board_without_room_for_the_smallest_store_is_refused() -> None:
    with pytest.raises(DoesNotFitError, match="block RAMs, ulx3s has 3"):
        _ = search(board_with(3), SMALL).design


@pytest.mark.parametrize("board", ["icebreaker", "ulx3s"])
@pytest.mark.parametrize(("taps", "lanes"), [(6, (4, 1)), (6, (2, 1)), (2, (2, 1)), (1, (1, 1))])
def test_a_record_comes_in_its_slots_if_the_store_can_be_so_wide(board: str, taps: int, lanes: tuple[int, ...]) -> None:
    design = Design(board=boards.find(board), network=Network.two_layer(6, 4, (4, 8)), taps=taps, lanes=lanes)
    single_port = design.board.technology.spram
    assert design.record_rows <= design.slots or (single_port and design.row_words == 4)
    assert design.store_rows * design.row_words == STORE_WORDS
    assert memory_requirements(design).single_port_ram == (4 if single_port else 0)


def test_a_record_that_the_store_cannot_give_in_time_is_refused() -> None:
    network = Network.two_layer(60, 1, (2, 2))
    design = Design(board=boards.find("icebreaker"), network=network, taps=60)
    with pytest.raises(
        ValueError, match=r"61 words takes 16 cycles to read, .* 4 words a cycle, .* use fewer lanes or taps"
    ):
        design.check_store()


@pytest.mark.parametrize(
    ("words", "message"), [(1000, "a power of two, not 1000"), (0, "not 0"), (4, "cannot hold two records of 3 words")]
)
def test_a_store_that_cannot_be_is_refused(words: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Design(board=boards.find("ulx3s"), network=SMALL, store_words=words).check_store()


def test_the_more_of_a_part_a_design_takes_the_slower_it_should_be() -> None:
    ulx3s = boards.find("ulx3s")
    small, large = (Design(board=ulx3s, network=SMALL, lanes=(lanes, 1), taps=2) for lanes in (1, 4))
    clocks = [reach or 0 for reach in map(expected_fmax, (small, large))]
    assert 110e6 > clocks[0] > clocks[1] > 99e6
    assert expected_fmax(replace(small, board=boards.find("nexys-a7"))) is None
