"""A network and a schedule for data without a preset, found by a study over public tabular data sets."""

from sw.presets.preset import Preset, schedule
from sw.spec.network import Network

HEADROOM = 4
SPREADS = 0.25, 0.0625


def default_preset(features: int, outputs: int, records: int) -> Preset:
    """Choose a network and a schedule for a table: more records can settle more addends and segments.

    The preset is for data that are scaled by `sw.scaling.Scaling.robust`. The epochs suit one model without early
    stopping.

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
    network = Network.two_layer(features, addends, segments, outputs=outputs)
    return Preset(network, phases, HEADROOM, SPREADS, robust=True)
