"""`kanloom export verilog`: a trainer, or a trained model, as a core in Verilog."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hw.plan.options import add_design, board_of, preset_for, preset_of, search_of
from sw.outputs import MARKER, check_folder
from sw.spec.options import whole

if TYPE_CHECKING:
    from hw.core.description import ExportedCore
    from sw.spec.reporter import Reporter

OUTPUT = Path("export")
TAG_BITS = 1, 12  # 4096 records that wait for their targets fill some block RAMs

EXAMPLES = (
    "--network 2-8-1 --segments 4,32",
    "norm2.npz --inference --board ulx3s --output norm2_core",
    "norm2.npz --late-targets 4",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the form's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The form's parser.
    """
    parser.description = (
        f"{parser.description} The core has streams for records, targets and predictions, and needs no link. Beside it "
        "there are an AXI4-Stream wrapper, a description of all ports, and a test bench with the oracle's vectors."
    )
    parser.add_argument("model", type=Path, nargs="?", help="model file, .npz, whose nodes the core begins with")
    parser.add_argument(
        "--inference", action="store_true", help="make a core that only predicts, its nodes in read-only memories"
    )
    parser.add_argument(
        "--late-targets",
        type=whole(*TAG_BITS),
        metavar="BITS",
        help="make a core that predicts each record at once, and trains on it when its target comes: a tag of so many "
        "bits says whose target it is",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help=f"directory, emptied first if it is an export's, which has a file {MARKER} (default: {OUTPUT}/NAME)",
    )
    add_design(parser, board="icebreaker", passes=False)
    parser.set_defaults(schedule="exact")


def run(options: argparse.Namespace, reporter: Reporter) -> int:
    """Write the folder.

    Parameters
    ----------
    options : argparse.Namespace
        The form's.
    reporter : Reporter
        For progress.

    Returns
    -------
    int
        The exit status.
    """
    if options.model and (options.network or options.segments):
        raise argparse.ArgumentTypeError("the model says the network; leave out --network and --segments")
    if options.inference and not options.model:
        raise argparse.ArgumentTypeError("--inference needs the model whose nodes it has")
    if options.late_targets and (options.inference or options.schedule != "exact"):
        raise argparse.ArgumentTypeError("--late-targets BITS is for a core that trains, with the exact schedule")
    if options.output:
        check_folder(options.output)
    with reporter.step("planning") as step:
        import numpy as np

        from sw.export.names import fixed_point, identifier
        from sw.model import Model
        from sw.spec.nodes import first_nodes

        if options.model:
            model = Model.load(options.model)
            stem = options.model.stem
            fixed_point(model, stem)
            preset, nodes = preset_for(model.network), model.nodes
        else:
            preset = preset_of(options)
            network = preset.network
            stem = f"kan {network.features} {' '.join(str(layer.outputs) for layer in network.layers)}"
            nodes = first_nodes(network, np.random.default_rng(0), preset.spreads)
        name = f"{identifier(stem)}_core"  # no keyword, as `table` and `small` are
        folder = options.output or OUTPUT / name
        check_folder(folder)
        if options.model and folder.resolve() in options.model.resolve().parents:
            raise ValueError(f"{options.model} is in {folder}, which is emptied; name another folder with --output")
        design = search_of(board_of(options), options, preset=preset).design
        step.update(what="writing Verilog")
        from hw.core.inference_core import InferenceCore
        from hw.core.late_target_core import LateTargetCore
        from hw.core.training_core import TrainingCore
        from sim.export.folder import portable, write_core

        plan = portable(design.plan)
        rates = preset.phases[-1 if options.model else 0].rates
        core: ExportedCore
        if options.inference:
            core = InferenceCore(plan, nodes)
        else:
            core = TrainingCore(plan, rates=rates, nodes=nodes)
            if options.late_targets:
                core = LateTargetCore(core, tag_bits=options.late_targets)
        write_core(core, nodes, name, folder)
    reporter.note(
        f"{folder}: module {name} of {design.network}; {name}.md describes it\n"
        f"a prediction after {core.latency} clocks; to test it with Verilator: make -C {folder}"
    )
    return 0
