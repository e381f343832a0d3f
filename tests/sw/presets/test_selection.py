"""What a user names is what is chosen; what is left out is the preset's."""

from argparse import ArgumentTypeError

import pytest

from sw.presets.catalogue import BY_NAME, PRESETS
from sw.presets.selection import preset_or_shape, selected


@pytest.mark.parametrize("name", BY_NAME)
def test_a_name_is_its_preset(name: str) -> None:
    assert selected(preset_or_shape(name), None, PRESETS["norm2"]) == BY_NAME[name]


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ArgumentTypeError, match="'norm3'; the presets are norm2, norm4"):
        preset_or_shape("norm3")


def test_a_shape_and_segments_change_the_network_alone() -> None:
    base = PRESETS["norm4"]
    assert selected(None, None, base) == base
    chosen = selected(preset_or_shape("3-6-2"), (2, 8), base)
    assert [(layer.inputs, layer.outputs, layer.segments) for layer in chosen.network.layers] == [(3, 6, 2), (6, 2, 8)]
    assert (chosen.phases, chosen.headroom, chosen.spreads) == (base.phases, base.headroom, base.spreads)
    assert selected(preset_or_shape("4-16-1"), None, base).network == base.network


def test_segments_are_one_number_a_layer() -> None:
    with pytest.raises(ValueError, match="segments 2,8,8: a network of 2 layers needs 2 numbers"):
        selected(None, (2, 8, 8), PRESETS["norm4"])
