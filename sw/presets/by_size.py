"""A network and a schedule for data without a preset, found by a study over public tabular data sets."""

from math import log2

from sw.presets.preset import Preset, schedule, stretched
from sw.spec.network import HIDDEN_GAIN, Network

HEADROOM = 4
SPREADS = 0.25, 0.0625
MANY = 13  # features, from which on the mean over them needs a larger gain, and first nodes that add up to less
WIDE = 33  # features, from which on few records settle no more than linear inner functions
FEW_RECORDS = 8  # a feature
LINEAR_EPOCHS = 200  # more than others have: less can be learnt by heart


def default_preset(features: int, outputs: int, records: int) -> Preset:
    """Choose a network and a schedule for a table: more records can settle more addends and segments.

    The preset is for data that are scaled by `sw.scaling.Scaling.robust`. The epochs suit one model without early
    stopping. The mean over many independent features is small: from 13 on, the hidden gain follows the square root of
    their number. For a wide table of few records the inner functions are linear. The study is
    `scripts/studies/wide_tables.py`. For more than two layers, `sw.presets.preset.shaped` changes the depth.

    Parameters
    ----------
    features, outputs : int
        Columns of the table.
    records : int
        Records to train on.
    """
    if records < 1_000:
        addends, segments, phases = 16, (2, 8), schedule((24, 3, 14), (8, 4, 16))
    elif records < 5_000:
        addends, segments, phases = 32, (2, 16), schedule((24, 3, 14), (8, 4, 16))
    else:
        addends, segments, phases = 64, (2, 32), schedule((16, 2, 14), (8, 3, 16))
    gain, (inner, outer) = HIDDEN_GAIN, SPREADS
    linear = features >= WIDE and records < FEW_RECORDS * features
    if features >= MANY:
        gain, inner = round(log2(features) / 2) + linear, inner / (16 if linear else 4)
    if linear:
        phases = stretched(phases, LINEAR_EPOCHS)
    network = Network.two_layer(features, addends, segments, outputs=outputs, gain=gain)
    return Preset(network, phases, HEADROOM, (inner, outer), robust=True, half_range=linear)
