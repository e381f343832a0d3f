"""The folder of an exported core: its Verilog, an AXI4-Stream wrapper, a description, and a test bench with vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from amaranth import Shape

from hw.core.axi_stream import AxiStreamCore, lane_bits, lanes, values_of
from hw.core.description import ExportedCore, describe
from hw.core.inference_core import InferenceCore
from hw.core.late_target_core import LateTargetCore
from hw.flow.tools import emit_verilog
from hw.schedule.trainer_plan import TrainerPlan
from sim.export.litex import litex_example
from sim.export.vectors import inference_vectors, late_target_vectors, training_vectors
from sw.outputs import emptied

_BENCH = Path(__file__).with_name("bench.sv")

MAKEFILE = """\
# make: runs the test bench with Verilator (5.0 or newer); make axis: the same through the AXI4-Stream wrapper; make
# litex: the same through the LiteX module, if this Python has LiteX.
VERILATOR ?= $(shell command -v verilator || command -v verilator-cli)
PYTHON ?= python3
CORE = {name}
FLAGS = --binary --timing --top-module bench --output-split 0 -Wno-lint -Wno-fatal {defines}
FLAGS += -MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"

all: core
core:
\t$(VERILATOR) $(FLAGS) -DCORE=$(CORE) --Mdir obj_core bench.sv $(CORE).v
\t./obj_core/Vbench
axis:
\t$(VERILATOR) $(FLAGS) -DAXIS -DCORE=$(CORE)_axis --Mdir obj_axis bench.sv $(CORE)_axis.v $(CORE).v
\t./obj_axis/Vbench
litex:
\t$(PYTHON) $(CORE)_litex.py
\t$(VERILATOR) $(FLAGS) -DCORE=$(CORE)_litex --Mdir obj_litex bench.sv $(CORE)_litex.v $(CORE).v
\t./obj_litex/Vbench
clean:
\trm -rf obj_core obj_axis obj_litex $(CORE)_litex.v
.PHONY: all core axis litex clean
"""


class AnyDevice:
    """The platform of Verilog for any tool: no assertions, which only SystemVerilog has."""


def portable(plan: TrainerPlan) -> TrainerPlan:
    """Return a plan with the same latencies whose products are written as such, not as cells of the family."""
    return replace(plan, technology=replace(plan.technology, multiplier_cell=None))


def write_core(core: ExportedCore, nodes: Sequence[np.ndarray], name: str, folder: Path) -> list[str]:
    """Write all files of a core.

    Parameters
    ----------
    core : TrainingCore, LateTargetCore or InferenceCore
        The core, of a `portable` plan; it is elaborated.
    nodes : sequence of ndarray
        The nodes that it begins with.
    name : str
        Name of its module, and of its files.
    folder : Path
        Where to; it is emptied first if it is one of an earlier export.

    Returns
    -------
    list of str
        The names of the files.

    Raises
    ------
    sw.outputs.OutputError
        For a folder that holds other files, or that cannot be written to.
    """
    if isinstance(core, InferenceCore):
        defines, vectors = "", inference_vectors(core, nodes)
    elif isinstance(core, LateTargetCore):
        defines, vectors = "-DTRAINING -DLATE", late_target_vectors(core, nodes)
    else:
        defines, vectors = "-DTRAINING", training_vectors(core, nodes)
    files = {
        f"{name}.v": emit_verilog(core, name, platform=AnyDevice()),
        f"{name}_axis.v": emit_verilog(AxiStreamCore(core, name), f"{name}_axis", platform=AnyDevice()),
        f"{name}.md": describe(core, name),
        "bench.sv": _BENCH.read_text(),
        "lanes.vh": "".join(f"{line}\n" for line in bench_lanes(core)),
        f"{name}_litex.py": litex_example(core, name),
        "Makefile": MAKEFILE.format(name=name, defines=defines),
        **vectors.files(),
    }
    emptied(folder)
    for file, text in files.items():
        (folder / file).write_text(text)
    return list(files)


def bench_lanes(core: ExportedCore) -> Iterator[str]:
    """Yield the statements by which the test bench packs payloads into TDATA, and unpacks and checks predictions."""
    for stream, prefix in AxiStreamCore(core, "core").streams.items():
        layout, payload = getattr(core, stream).payload.shape(), stream.removesuffix("s")
        *_, (_, shape, _, lane) = lanes(layout)
        yield f"wire [{lane + lane_bits(shape) - 1}:0] {stream}_tdata;"
        for _, shape, offset, lane in lanes(layout):
            width = Shape.cast(shape).width
            value, place = f"{payload}[{offset} +: {width}]", f"{stream}_tdata[{lane} +: {width}]"
            if prefix.startswith("s"):
                yield f"assign {place} = {value};"
                continue
            yield f"assign {value} = {place};"
            if above := lane_bits(shape) - width:
                sign = f"{stream}_tdata[{lane + width - 1}]" if Shape.cast(shape).signed else "1'b0"
                wrong = f"{stream}_tdata[{lane + width} +: {above}] !== {{{above}{{{sign}}}}}"
                yield f"always @(posedge clk) if ({stream}_valid && {wrong}) errors <= errors + 1;"
        for name, _, offset in values_of(layout):
            if name == "last":
                yield f"wire {stream}_last;"
                last = f"{stream}_last", f"{payload}[{offset}]"
                yield "assign {} = {};".format(*(last if prefix.startswith("s") else reversed(last)))
