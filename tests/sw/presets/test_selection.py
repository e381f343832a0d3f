"""What a user names is what is chosen; what is left out is the preset's."""

from argparse import ArgumentTypeError
from dataclasses import replace

import pytest

from sw.commands.starting import for_network
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


@pytest.mark.parametrize("name", ["det5", "tetra-volume", "tetra-faces"])
def test_fine_bits_bring_the_schedule_for_them(name: str) -> None:
    preset = selected(None, None, PRESETS[name], fine=0)
    fine = selected(None, None, preset, fine=4)
    assert fine.network == replace(preset.network, fine=4) and fine.phases != preset.phases
    assert selected(preset, None, PRESETS["norm2"], fine=4) == fine and selected(None, None, fine, fine=0) == preset
    for phase in fine.phases:
        phase.rates.check(fine.network)
    assert selected(None, None, preset, fine=0) == selected(None, None, preset) == preset
    assert for_network(preset, fine.network) == fine


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("width", [14, 18])
def test_another_word_moves_the_back_shifts_along(name: str, width: int) -> None:
    preset = BY_NAME[name]
    other = selected(preset, None, preset, width=width)
    assert other.network == replace(preset.network, width=width)
    for phase, before in zip(other.phases, preset.phases, strict=True):
        assert phase.rates.update == before.rates.update
        assert [shift - width for shift in phase.rates.back] == [shift - 16 for shift in before.rates.back]
    assert selected(other, None, preset, width=16) == preset
    assert for_network(preset, other.network) == other


def test_a_word_that_is_too_short_for_the_rates_is_refused() -> None:
    with pytest.raises(ValueError, match=r"update shifts \(7,\): a network of 2 layers needs 1, each in 1..6"):
        selected(None, None, PRESETS["det5"], width=12)


def test_fine_bits_without_a_schedule_are_refused() -> None:
    with pytest.raises(ValueError, match="fine bits 4: the schedule of this network is for 0 alone"):
        selected(None, None, PRESETS["norm2"], fine=4)
