"""Advice from counts: each count that is too large has a line of its own."""

from dataclasses import replace

import pytest

from sw.commands.advice import advice, shares
from sw.spec.network import Network
from sw.spec.trainer import Statistics

NETWORK = Network.two_layer(3, 4, (4, 8))  # 32 nodes are moved by a record, 4 arguments are hidden, 5 steps are made


def test_counts_become_shares_of_what_a_record_does():
    most = Statistics(records=10, saturations=320, clips=40, zero_steps=50)
    for counts, share in ((most, 1), (Statistics(), 0)):
        assert shares(NETWORK, counts) == dict.fromkeys(("saturations", "clips", "zero_steps"), share)
    assert shares(NETWORK, None) is None and advice(NETWORK, None) == []


@pytest.mark.parametrize(
    ("counts", "word"),
    [({"saturations": 161}, "headroom"), ({"clips": 13}, "gain"), ({"zero_steps": 2501}, "--fine 4")],
)
def test_a_count_that_is_too_large_is_advised_on(counts, word):
    (line,) = advice(NETWORK, Statistics(1000, **counts))
    assert word in line
    assert not advice(NETWORK, Statistics(1000, saturations=160, clips=12, zero_steps=2500))


def test_fine_bits_are_not_advised_to_a_network_that_has_them():
    (line,) = advice(replace(NETWORK, fine=4), Statistics(1000, zero_steps=4000))
    assert "80% of the steps are zero" in line and "--fine" not in line
