"""Multipliers whose delay no tool knows are found."""

import pytest

from hw.fpga.ice40 import unregistered_multipliers

REGISTERS = ("A_REG", "B_REG", "PIPELINE_16x16_MULT_REG2")


@pytest.mark.parametrize("missing", [None, *REGISTERS])
@pytest.mark.parametrize("output", [0, 3])
def test_only_multipliers_with_all_registers_can_be_timed(missing: str | None, output: int) -> None:
    parameters = {register: "1" for register in REGISTERS if register != missing}
    parameters |= {f"{half}OUTPUT_SELECT": f"{output:032b}" for half in ("TOP", "BOT")}
    cells = {"mac": {"type": "SB_MAC16", "parameters": parameters}, "lut": {"type": "SB_LUT4", "parameters": {}}}
    assert unregistered_multipliers(cells) == ([] if missing is None and output == 3 else ["mac"])
