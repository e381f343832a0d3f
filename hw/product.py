"""The product of two signed words, in a hard multiplier with all of its registers."""

from typing import Any

from amaranth import ClockSignal, Const, Instance, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.technology import Technology


class Product(wiring.Component):
    """A product every clock, `technology.multiplier_latency` cycles later: its operands are registered, then itself.

    Synthesis finds hard multipliers by itself, but Yosys 0.70 replaces some products by zeros when it packs registers
    and adders into SB_MAC16. There the cell is instantiated, with registers at both its ends.

    Attributes:
        a, b: operands.
        product: theirs, in as many bits as both together.
    """

    def __init__(self, *, a_width: int, b_width: int, technology: Technology):
        self.technology = technology
        super().__init__(
            {"a": In(signed(a_width)), "b": In(signed(b_width)), "product": Out(signed(a_width + b_width))}
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        cell, width = self.technology.multiplier_cell, self.technology.multiplier_width
        if platform is not None and cell == "SB_MAC16" and width is not None and max(len(self.a), len(self.b)) <= width:
            self._mac16(m)
        else:
            self._inferred(m)
        return m

    def _inferred(self, m: Module) -> None:
        a, b = Signal.like(self.a, reset_less=True), Signal.like(self.b, reset_less=True)
        m.d.sync += [a.eq(self.a), b.eq(self.b)]
        product = a * b
        for _ in range(self.technology.multiplier_latency - 1):
            later = Signal.like(self.product, reset_less=True)
            m.d.sync += later.eq(product)
            product = later
        m.d.comb += self.product.eq(product)

    def _mac16(self, m: Module) -> None:
        """Two cycles: registers of the operands, and the one behind the adder of the partial products."""
        a, b, product = Signal(signed(16)), Signal(signed(16)), Signal(signed(32))
        m.d.comb += [a.eq(self.a), b.eq(self.b), self.product.eq(product)]
        m.submodules.multiplier = Instance(
            "SB_MAC16",
            p_A_REG=Const(1),
            p_B_REG=Const(1),
            p_A_SIGNED=Const(1),
            p_B_SIGNED=Const(1),
            p_PIPELINE_16x16_MULT_REG2=Const(1),
            p_TOPOUTPUT_SELECT=Const(3, 2),
            p_BOTOUTPUT_SELECT=Const(3, 2),
            i_CLK=ClockSignal(),
            i_CE=Const(1),
            i_A=a,
            i_B=b,
            i_C=Const(0, 16),
            i_D=Const(0, 16),
            o_O=product,
            **{
                f"i_{pin}": Const(0)
                for pin in (
                    *("AHOLD", "BHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT", "ORSTTOP", "ORSTBOT", "OLOADTOP"),
                    *("OLOADBOT", "ADDSUBTOP", "ADDSUBBOT", "OHOLDTOP", "OHOLDBOT", "CI", "ACCUMCI", "SIGNEXTIN"),
                )
            },
        )
