"""From options to a training: the network, the strategy, and both together on a source."""

import argparse
import re
from dataclasses import replace

from sw.datasets import Source
from sw.engine.conversion import ARITHMETICS
from sw.engine.processes import SINGLE_PROCESS, Processes
from sw.engine.strategy import Pretraining, Strategy
from sw.engine.training import Training
from sw.experiment import first_model
from sw.oracle.merging import MERGES, Merging
from sw.presets.by_size import default_preset
from sw.presets.catalogue import PRESETS, find
from sw.presets.preset import Preset, shaped, stretched


def add_plan(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("network")
    group.add_argument(
        "--network",
        type=_network,
        metavar="PRESET|SHAPE",
        help=f"{', '.join(PRESETS)}; or features, addends and outputs, such as 16-72-1 (default: by the data set)",
    )
    group.add_argument("--segments", type=_segments, metavar="N/N", help="of each layer's functions, such as 2/32")
    group = parser.add_argument_group("training")
    group.add_argument("--epochs", type=int, help="passes over the records after pre-training (default: the preset's)")
    group.add_argument("--arithmetic", choices=ARITHMETICS, help="default: the preset's; the board's is fixed16")
    group.add_argument("--threads", type=int, default=1, help="that work at a time (default: %(default)s)")
    group.add_argument("--models", type=int, help="that train concurrently, each on its own records (default: threads)")
    group.add_argument(
        "--round-records",
        type=int,
        default=Strategy.round_records,
        help="of each model between merges (default: %(default)s)",
    )
    group.add_argument("--merge", choices=MERGES, default=Merging.merge, help="default: %(default)s")
    group.add_argument(
        "--relaxation",
        type=float,
        default=Merging.relaxation,
        help="of the step to the merged model (default: %(default)s)",
    )
    group.add_argument(
        "--pretrain",
        type=pretraining_of,
        metavar="ADDENDS:EPOCHS|none",
        help="groups of so many addends alone, for so many epochs, before all together (default: the preset's)",
    )


def preset_of(options: argparse.Namespace, source: Source) -> Preset:
    """The network and the schedule for a source. Raises ValueError for what is no network."""
    if isinstance(options.network, str):
        preset = find(options.network)
    elif source.name in PRESETS:
        preset = find(source.name)
    else:
        preset = default_preset(len(source.feature_names), len(source.target_names), source.count("train"))
    shape = options.network if isinstance(options.network, tuple) else None
    preset = shaped(preset, shape, options.segments)
    if options.epochs is not None:
        preset = replace(preset, phases=stretched(preset.phases, options.epochs))
    if options.arithmetic is not None:
        preset = replace(preset, arithmetic=options.arithmetic)
    if options.pretrain is not None:
        preset = replace(preset, pretraining=options.pretrain or None)
    return preset


def strategy_of(options: argparse.Namespace, preset: Preset) -> Strategy:
    if options.threads < 1:
        raise ValueError(f"threads {options.threads} must be 1 or more")
    return Strategy(
        phases=preset.phases,
        arithmetic=preset.arithmetic,
        pretraining=Pretraining(*preset.pretraining, preset.phases[0].rates) if preset.pretraining else None,
        models=options.threads if options.models is None else options.models,
        round_records=options.round_records,
        merging=Merging(options.merge, options.relaxation),
        seed=options.seed,
    )


def training_of(
    options: argparse.Namespace, source: Source, preset: Preset, *, processes: Processes = SINGLE_PROCESS
) -> Training:
    """A training from the preset's first model on. It reads the source once, for its ranges."""
    model = first_model(preset, source, seed=options.seed)
    return Training(model, source, strategy_of(options, preset), threads=options.threads, processes=processes)


def _network(text: str) -> str | tuple[int, ...]:
    """A preset's name, or sizes."""
    return tuple(map(int, text.split("-"))) if re.fullmatch(r"\d+(-\d+)+", text) else text


def _segments(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(/\d+)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not one number a layer, such as 2/32")
    return tuple(map(int, text.split("/")))


def pretraining_of(text: str) -> tuple[int, ...]:
    """Addends and epochs; nothing for none."""
    if text == "none":
        return ()
    if not re.fullmatch(r"\d+:\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither addends:epochs, such as 6:2, nor none")
    addends, epochs = map(int, text.split(":"))
    return addends, epochs
