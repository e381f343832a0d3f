"""A network and a schedule for data that has no preset."""

from sw.network import Network
from sw.presets import Preset, schedule

SEGMENTS = (4, 32)
LEAST_ADDENDS, MOST_ADDENDS = 32, 128


def default_preset(features: int, outputs: int, records: int) -> Preset:
    """Where to start with data of so many features, outputs and training records."""
    addends = min(max(4 * features, LEAST_ADDENDS), MOST_ADDENDS)
    network = Network.two_layer(features, addends, SEGMENTS, outputs=outputs)
    return Preset(network, schedule((6, 2, 13), (2, 3, 15)), headroom=3, spreads=(0.25, 0.0625))
