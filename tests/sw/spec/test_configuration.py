import numpy as np
import pytest

from sw.spec.addresses import Folding, addresses_of, node_addresses
from sw.spec.configuration import Configuration
from sw.spec.network import Network


def configuration(taps: int = 2, lanes: int = 2, outputs: int = 1) -> Configuration:
    network = Network.two_layer(6, 4, (4, 8), outputs=outputs)
    foldings = (Folding(taps, lanes), Folding(lanes, outputs))
    return Configuration("icebreaker", network, foldings, 9, (3, 2), 1024, 4, 36_000_000, (9,))


def test_its_text_makes_it_again():
    assert Configuration.from_text(configuration().text) == configuration()


def test_digests_tell_configurations_apart():
    assert configuration().digest != configuration(taps=3).digest
    assert len(configuration().digest) == 8


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"network": {}}'])
def test_another_text_is_refused(text):
    with pytest.raises(ValueError):
        Configuration.from_text(text)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(("taps", "lanes"), [(1, 1), (2, 1), (3, 2), (6, 4)])
def test_every_node_has_an_address_of_its_own(taps, lanes, outputs):
    ours = configuration(taps, lanes, outputs)
    addresses = node_addresses(ours.addresses)
    assert len(addresses) == ours.network.parameters == len(np.unique(addresses))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [((1,) * 18, "17 layers; there are addresses for 16"), ((2048, 1024, 1), "nodes of layer 0 need 23 address bits")],
)
def test_a_network_without_enough_addresses_is_refused(sizes, message):
    network = Network.chain(sizes, (2,) * (len(sizes) - 1))
    with pytest.raises(ValueError, match=message):
        addresses_of(network, [Folding(1, 1)] * len(network.layers))


def test_a_record_begins_on_a_row_and_a_block_is_half_of_the_store():
    assert configuration().network.record_words == 7
    assert (configuration().record_rows, configuration().block) == (2, 256)
