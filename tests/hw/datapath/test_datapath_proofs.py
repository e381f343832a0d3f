"""Proofs about the datapath: arithmetic saturates and never wraps, and FIFOs keep what they are given in its order."""

from itertools import product

import pytest
from amaranth.hdl import Array, Mux, Signal, Value, signed

from hw.datapath import fixed_point, replay_fifo
from hw.datapath.fixed_point import clamp, code_of, limit_error, outside, saturate
from hw.datapath.replay_fifo import ReplayFifo
from hw.fpga.resources import MemoryShape, Storage
from sw.spec.chance import FINE
from sw.spec.numerics import WIDTHS, WordFormat
from tests.formal import Claims, RefutedError, counted
from tests.hw.datapath.memories import OpenMemory
from tests.slow import slow

WIDER = 4
"""Bits by which the values that are limited are wider than a word: those of sums and differences are by 1."""


def limited(value: Value, low: int, high: int) -> Value:
    """Return a value limited by comparisons, which take a carry chain but know nothing of bits."""
    return Mux(value > high, high, Mux(value < low, low, value))


def limits(word: WordFormat) -> Claims:
    """Claim that each operation on a word limits all values as comparisons of integers do."""
    claims = Claims()
    width, maximum, minimum = word.width, word.maximum, word.minimum
    value = claims.input(signed(width + WIDER), "value")
    for low in (minimum, -maximum):
        beyond = (value < low) | (value > maximum)
        claims.claim(outside(value, low, maximum) == beyond, f"values outside {low}..{maximum} are known")
        claims.claim(
            clamp(value, low, maximum) == limited(value, low, maximum), f"values are limited to {low} and more"
        )
    result, changed = saturate(value, width)
    claims.claim(result == limited(value, minimum, maximum), "nodes saturate")
    claims.claim(changed == (result != value), "saturations are known")
    claims.claim(len(result) == width, "nodes are words")
    largest = word.largest_error
    claims.claim(limit_error(value, word) == limited(value, -largest, largest), "errors are limited")
    code = claims.input(signed(width), "result")
    claims.claim(code_of(code) == code - minimum, "codes begin with 0")
    return claims


USUAL_WORDS = [(10, 0), (16, 4)]
OTHER_WORDS = [slow(*word) for word in product(WIDTHS, FINE) if word not in USUAL_WORDS]


@pytest.mark.parametrize(("width", "fine"), [*USUAL_WORDS, *OTHER_WORDS])
def test_words_are_limited_and_never_wrap(width, fine):
    limits(WordFormat(width, fine)).prove()


def test_a_limit_that_forgets_the_carry_is_refuted(monkeypatch):
    monkeypatch.setattr(fixed_point, "outside", lambda value, low, high: value[-1] ^ value[high.bit_length()])
    with pytest.raises(RefutedError, match="saturations are known"):
        limits(WordFormat(16)).prove()


@pytest.fixture
def open_memories(monkeypatch):
    """Let claims be about what FIFOs hold."""
    monkeypatch.setattr(replay_fifo, "Memory", OpenMemory)


def ring(*, depth: int, promised: int, in_logic: bool) -> Claims:
    """Claim that a replay FIFO gives each value after the ones before it; `promised` values have a place."""
    storage = Storage.LOGIC if in_logic else Storage.BLOCK
    claims = Claims(fifo := ReplayFifo(MemoryShape(name="values", width=4, depth=depth, storage=storage)))
    m, watched, inside = claims.m, claims.constant(4, "watched"), claims.inside
    arrived = claims.before(fifo.write)  # a value that has just come cannot be read yet
    level = counted(m, fifo.write, fifo.read, promised, "level")
    claims.assume(~fifo.write | (level < promised))
    claims.assume(~fifo.read | (level > arrived))
    # Any write begins to be watched: how many values are still before it.
    watching, ahead = Signal(name="watching"), Signal.like(level, name="ahead")
    begins = claims.input(1, "chosen") & fifo.write & ~watching
    claims.assume(~begins | (fifo.value == watched))
    with m.If(begins):
        m.d.sync += [watching.eq(1), ahead.eq(level - fifo.read)]
    with m.Elif(watching & fifo.read):
        m.d.sync += [watching.eq(ahead != 0), ahead.eq(ahead - (ahead != 0))]
    next_to_read = watching & (ahead == 0) & (level > arrived)
    claims.claim(~next_to_read | (fifo.first == watched), "a value leaves after those that came before it")
    rows = Array(inside[f"ring0.row{index}"] for index in range(depth))
    head, tail = inside["$signal"], inside["$signal#1"]  # signals without a name, in the order in which they are driven
    claims.claim((head < depth) & (tail < depth), "places are of the ring")
    claims.claim((level <= promised) & (~arrived | (level > 0)), "no more values than places")
    claims.claim(tail == _wrapped(head + level, depth), "values lie between both ends")
    claims.claim(~watching | (ahead < level), "the watched value is one of them")
    claims.claim(~watching | (rows[_wrapped(head + ahead, depth)] == watched), "the watched value stays")
    claims.claim((level <= arrived) | (fifo.first == rows[head]), "the oldest value is read")
    if in_logic:
        claims.claim((inside["fanout"] == tail) & (inside["fanout#1"] == head), "copies of addresses are equal")
    return claims


def _wrapped(place: Value, depth: int) -> Value:
    return Mux(place >= depth, place - depth, place)


@pytest.mark.parametrize("depth", [1, 3, 4, *map(slow, (2, 5, 8))])
@pytest.mark.parametrize("in_logic", [False, True], ids=["block RAM", "logic"])
def test_a_replay_fifo_keeps_every_value_in_its_order(open_memories, depth, in_logic):
    ring(depth=depth, promised=depth, in_logic=in_logic).prove()


@pytest.mark.parametrize("in_logic", [False, True], ids=["block RAM", "logic"])
def test_a_schedule_that_writes_to_a_full_replay_fifo_is_refuted(open_memories, in_logic):
    with pytest.raises(RefutedError):
        ring(depth=3, promised=4, in_logic=in_logic).bounded(8)
