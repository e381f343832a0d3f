import json

import numpy as np
import pytest

from sw.network import Layer, Network, Records

NETWORK = Network.two_layer(3, 4, (4, 8), outputs=2)


def test_a_description_makes_an_equal_network():
    assert Network.from_description(json.loads(json.dumps(NETWORK.describe()))) == NETWORK


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Layer(0, 1, 2), "inputs 0"),
        (lambda: Layer(1, 1, 3), "3 segments"),
        (lambda: Layer(1, 1, 1), "1 segments"),
        (lambda: Network((Layer(1, 1, 2),)), "not 1"),
        (lambda: Network((Layer(2, 3, 4), Layer(4, 1, 4))), "3 outputs cannot feed one of 4"),
        (lambda: Network.two_layer(2, 2048, (4, 4), width=10), "no offset bits"),
        (lambda: Records(np.zeros((2, 1)), np.zeros((3, 1))), "same number of rows"),
    ],
)
def test_bad_geometry_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_products_are_counted_as_the_roofline_does():
    assert Network.two_layer(16, 64, (2, 32)).products == 2 * 16 * 64 + 3 * 64
