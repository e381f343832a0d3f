import numpy as np
import pytest

from sw.presets.by_size import default_preset
from sw.presets.catalogue import PRESETS, find
from sw.presets.depth import HEADROOM, deep_layers, deep_rates, deep_spreads
from sw.presets.preset import shaped, with_fine
from sw.spec.chance import FINE
from sw.spec.network import Network
from sw.spec.nodes import first_nodes
from sw.spec.numerics import WordFormat, bits_for


def test_a_preset_takes_another_depth_and_the_rule_for_it_says_the_rest():
    declared = find("det4")
    preset = shaped(declared, (16, 40, 8, 1), (2, 8, 32))
    assert str(preset.network) == "16-40-8-1 (2/8/32 segments, 16 bit)"
    assert len(preset.spreads) == 3 and preset.pretraining is None
    assert [phase.epochs for phase in preset.phases] == [phase.epochs for phase in declared.phases]


@pytest.mark.parametrize(("features", "segments"), [(1, None), (10, None), (300, (8,))])
def test_a_single_layer_can_hold_the_targets_in_one_function(features, segments):
    """It has the segments of outer functions; its first steps take a third of the residual at most."""
    declared = find("det4")
    preset = shaped(declared, (features, 2), segments)
    (layer,), word = preset.network.layers, preset.network.word
    assert layer.segments == (segments or (declared.network.layers[-1].segments,))[0]
    assert (preset.spreads, preset.pretraining) == ((0.0,), None)
    largest = word.maximum * 2.0**layer.gain / (1 << bits_for(features))
    assert largest > 2 * word.maximum / (1 << preset.headroom) - 2
    step = features * 2.0**layer.gain / (1 << bits_for(features)) * 2 / 3
    for phase in preset.phases:
        phase.rates.check(preset.network)
        assert step * 2.0 ** -phase.rates.update[0] <= 1 / 3


@pytest.mark.parametrize("fine", FINE)
@pytest.mark.parametrize("name", ["tetra-faces", "tetra-volume"])
def test_the_rule_for_any_depth_gives_the_rates_that_were_searched_for(name, fine):
    preset = with_fine(find(name), fine)
    layers, word = preset.network.layers, preset.network.word
    assert deep_rates(layers, word, 0) == preset.phases[0].rates
    assert (deep_spreads(3), HEADROOM) == (preset.spreads, preset.headroom)


@pytest.mark.parametrize("width", [10, 16, 24])
@pytest.mark.parametrize("fine", FINE)
@pytest.mark.parametrize(
    "sizes", [(1, 1), (10, 3), (300, 1), (1, 1, 1), (12, 60, 10, 4), (100, 50, 30, 20, 10), (3, 2, 2, 2, 2, 2, 1)]
)
def test_the_rule_gives_legal_networks_of_any_depth(sizes, fine, width):
    word = WordFormat(width, fine)
    layers = deep_layers(sizes, (4,) * (len(sizes) - 1), word)
    network = Network(layers, width, fine)
    first_nodes(network, np.random.default_rng(0), deep_spreads(len(layers)))
    for phase in range(3):
        deep_rates(layers, word, phase).check(network)


def test_a_single_layer_is_linear_where_inner_functions_are():
    """In a wide table of few records, which settle no more."""
    linear, others = (shaped(default_preset(60, 1, records), (60, 1), None) for records in (300, 3000))
    assert (linear.network.layers[0].segments, linear.half_range) == (2, True)
    assert (others.network.layers[0].segments, others.half_range) == (8, False)


@pytest.mark.parametrize(("features", "segments"), [(1, 32), (32, 32), (33, 16), (100, 8), (300, 4), (10_000, 4)])
def test_a_single_layer_of_many_features_has_fewer_segments(features, segments):
    (layer,) = shaped(default_preset(features, 1, 10**7), (features, 1), None).network.layers
    assert layer.segments == segments


def test_a_preset_keeps_what_is_not_said():
    assert shaped(find("det4"), None, None) == find("det4")
    assert shaped(find("det4"), None, (4, 16)).network.layers[1].segments == 16
    assert shaped(find("det4"), (16, 6, 1), None).pretraining is None  # groups of 6 addends would be all


def test_segments_are_one_a_layer():
    with pytest.raises(ValueError, match="2,4,8"):
        shaped(find("det4"), None, (2, 4, 8))


@pytest.mark.parametrize("name", PRESETS)
def test_only_what_is_asked_for_is_reshaped(name):
    preset = find(name)
    layers = preset.network.layers
    sizes, segments = (
        (layers[0].inputs, *(layer.outputs for layer in layers)),
        tuple(layer.segments for layer in layers),
    )
    assert shaped(preset, sizes, segments) == shaped(preset, sizes, None) == preset
    coarser = shaped(preset, None, (2,) * len(layers))
    assert [layer.gain for layer in coarser.network.layers] == [layer.gain for layer in layers]
    assert (coarser.phases, coarser.spreads) == (preset.phases, preset.spreads)
