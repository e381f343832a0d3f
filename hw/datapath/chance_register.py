"""The chance of a layer's steps: a shift register that moves on with each record, and turns with a slot's inputs."""

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.strobes import counter
from sw.spec.chance import CHANCE_BITS, FIRST_CHANCE, next_chance

_COLUMNS = [next_chance(1 << bit) for bit in range(CHANCE_BITS)]


def next_word(word: Value) -> Value:
    """Return the word of the next record: each of its bits is a sum, without carry, of bits of this one."""
    result: Value = word[0].replicate(CHANCE_BITS) & _COLUMNS[0]
    for bit, column in enumerate(_COLUMNS[1:], start=1):
        result = result ^ (word[bit].replicate(CHANCE_BITS) & column)
    return result


class ChanceSignature(wiring.Signature):
    """The host's access to the chance word of the next record, only while no record is in flight.

    Attributes
    ----------
    word : out, 16
        The word.
    set : in
        Take `value` as the word.
    value : in, 16
        The new word.
    """

    def __init__(self) -> None:
        super().__init__(
            {"word": Out(CHANCE_BITS, init=next_chance(FIRST_CHANCE)), "set": In(1), "value": In(CHANCE_BITS)}
        )


class ChanceRegister(wiring.Component):
    """The word of the record whose slots are updated, turned so that its lowest bits are those of the first tap.

    The slots of a record follow each other, input group after input group. In a first layer, each slot is another input
    group; in any other, a group ends with `last`. The word moves on after the last slot of a record that is trained on,
    by all its shifts in one cycle.

    Parameters
    ----------
    taps : int
        Inputs of a group.
    input_groups, output_groups : int
        Groups of the layer.
    first : bool
        Whether the layer is a first one.

    Attributes
    ----------
    valid, train : in, 1
        There is a slot in this cycle, and its record is trained on.
    last : in, 1, absent in a first layer
        The slot is the last one of its input group.
    turned : out
        The word for the taps of the slot.
    set, value : in
        Take `value` as the word of the next record; only while no record is in flight.
    word : out
        The word of the next record, while none is in flight.
    """

    def __init__(self, *, taps: int, input_groups: int, output_groups: int, first: bool):
        self.taps, self.input_groups, self.output_groups, self.first = taps, input_groups, output_groups, first
        start = next_chance(FIRST_CHANCE)
        super().__init__(
            {
                "valid": In(1),
                "train": In(1),
                **({} if first else {"last": In(1)}),
                "turned": Out(CHANCE_BITS, init=start),
                "set": In(1),
                "value": In(CHANCE_BITS),
                "word": Out(CHANCE_BITS, init=start),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        group_ends = self.valid if self.first else self.valid & self.last
        group = counter(m, "group", group_ends, self.input_groups)
        inputs_end = group_ends & (group == self.input_groups - 1)
        record_ends = inputs_end
        if self.first:
            output_group = counter(m, "output_group", inputs_end, self.output_groups)
            record_ends = inputs_end & (output_group == self.output_groups - 1)
        coming = Signal(CHANCE_BITS)
        m.d.comb += coming.eq(Mux(record_ends & self.train, next_word(self.word), self.word))
        with m.If(self.set):
            m.d.comb += coming.eq(self.value)
        m.d.sync += self.word.eq(coming)
        if self.input_groups == 1:
            m.d.comb += self.turned.eq(self.word)
        else:
            with m.If(inputs_end | self.set):
                m.d.sync += self.turned.eq(coming)
            with m.Elif(group_ends):
                m.d.sync += self.turned.eq(self.turned.rotate_right(self.taps % CHANCE_BITS))
        return m
