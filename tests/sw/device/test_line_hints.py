"""Hints from the counters of host and board."""

import pytest

from sw.device.line_hints import hints
from sw.device.link_statistics import LinkStatistics
from sw.spec.registers import COUNTER_BITS, LINK_COUNTERS

NONE = {register.name: 0 for register in LINK_COUNTERS}


@pytest.mark.parametrize(
    ("statistics", "counted", "said"),
    [
        (LinkStatistics(requests=1000), {}, []),
        (LinkStatistics(requests=1000, resent=100), {"duplicates": 100}, []),
        (LinkStatistics(requests=1000, resent=100, damaged=60), {"crc_errors": 40}, ["noisy: 100 of 1,000 requests"]),
        (LinkStatistics(requests=10, resent=5), {"uart_errors": 5000}, ["Nothing is driving the board's RX"]),
        (LinkStatistics(requests=10), {"overruns": 2}, ["2 frames found the board's memory full"]),
    ],
    ids=["good", "slow computer", "noisy", "floating", "two programs"],
)
def test_a_bad_line_is_told_from_a_slow_computer(statistics, counted, said):
    found = hints(statistics, NONE | counted)
    assert len(found) == len(said) and all(part in line for part, line in zip(said, found, strict=True))
    assert all(count < 1 << COUNTER_BITS for count in counted.values())
