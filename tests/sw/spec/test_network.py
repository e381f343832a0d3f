import json
from dataclasses import replace

import numpy as np
import pytest

from sw.spec.chance import FINE
from sw.spec.network import Layer, Network
from sw.spec.records import Records

NETWORK = Network.two_layer(3, 4, (4, 8), outputs=2)


@pytest.mark.parametrize("fine", FINE)
def test_a_description_makes_an_equal_network(fine: int):
    network = replace(NETWORK, fine=fine)
    assert Network.from_description(json.loads(json.dumps(network.describe()))) == network
    assert ("fine" in network.describe()) == ("fine" in str(network)) == (fine > 0)


@pytest.mark.parametrize("fine", [1, 3, 5, -4, "4", None, 4.0, True])
def test_other_fine_bits_are_refused(fine: object):
    with pytest.raises(ValueError, match=f"fine bits {fine!r}: must be 0 or 4"):
        Network.from_description({**NETWORK.describe(), "fine": fine})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Layer(0, 1, 2), "inputs 0"),
        (lambda: Layer(1, 1, 3), "3 segments"),
        (lambda: Layer(1, 1, 1), "1 segments"),
        (lambda: Network(()), "1 to 64 layers, not 0"),
        (lambda: Network((Layer(2, 3, 4), Layer(4, 1, 4))), "3 outputs cannot feed one of 4"),
        (lambda: Network.two_layer(2, 2048, (4, 4), width=10), "no offset bits"),
        (lambda: Network.chain((2, 3, 1), (4, 4, 4)), "2 layers between 3 sizes, but segments for 3"),
        (lambda: Records(np.zeros((2, 1)), np.zeros((3, 1))), "same number of rows"),
    ],
)
def test_bad_geometry_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_chain_has_gain_in_its_hidden_layers_only():
    assert Network.chain((3, 4, 2), (4, 8)) == NETWORK
    assert Network.chain((3, 2), (4,)) == Network((Layer(3, 2, 4, gain=0),))
    assert [layer.gain for layer in Network.chain((3, 4, 5, 2), (4, 8, 2), gain=1).layers] == [1, 1, 0]


def test_products_are_counted_as_the_roofline_does():
    assert Network.two_layer(16, 64, (2, 32)).products == 2 * 16 * 64 + 3 * 64
