import pytest

from sw.presets.catalogue import PRESETS, find
from sw.presets.preset import shaped


def test_a_preset_takes_another_shape_and_what_it_says_of_a_hidden_layer_is_said_of_each():
    preset = shaped(find("det4"), (16, 40, 8, 1), (2, 8, 32))
    assert str(preset.network) == "16-40-8-1 (2/8/32 segments, 16 bit)"
    assert preset.spreads == (0.25, 0.25, 0.0625) and preset.pretraining is None
    for phase in preset.phases:
        phase.rates.check(preset.network)


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
