"""A router's rounds are read from its log, and a router that does not converge is recognised."""

import pytest

from hw.flow.router_log import PATIENCE, PATIENCE_WITH_MANY, Routing, activity

# Lines of nextpnr-ecp5's log.
LOG = """
Info: Running main router loop...
Info:     iter=1 wires=785822 overused=47166 overuse=59102 archfail=NA
Info:     iter=2 wires=801114 overused=21733 overuse=24561 archfail=NA
"""


def rounds(conflicts: list[int]) -> Routing:
    return Routing(wires=800_000, conflicts=tuple(conflicts))


def test_log_is_read() -> None:
    assert Routing.of(LOG) == Routing(wires=801114, conflicts=(47166, 21733))
    assert str(Routing.of(LOG)) == "21733 of 801114 wires in conflict after 2 rounds"
    assert Routing.of("Info: Routing..") is None


@pytest.mark.parametrize(("least", "patience"), [(3000, PATIENCE_WITH_MANY), (12, PATIENCE)])
def test_stuck_without_fewer_conflicts_for_long(least: int, patience: int) -> None:
    began = [40_000, 9000, least]
    assert not rounds(began).stuck
    assert not rounds([*began, *[least + 1] * (patience - 1)]).stuck
    assert rounds([*began, *[least + 1] * patience]).stuck
    assert not rounds([*began, *[least + 1] * patience, least - 1]).stuck


def test_activity_is_what_either_router_says() -> None:
    table = (
        "Info:    IterCnt |  w/ripup   wo/ripup |  w/r  wo/r |      arcs| batch(sec) total(sec)|\n"
        "Info:       1000 |      277        722 |  277   722 |     72541|       3.49       3.49|\n"
        "Info:       2000 |      419       1580 |  142   858 |     71793|       1.76       5.25|\n"
    )
    assert activity("Info: Creating initial analytic placement for 14285 cells") == "placing"
    assert activity(table) == "routing, 71,793 arcs remain"
    assert activity(LOG) == "routing, 21733 of 801114 wires in conflict after 2 rounds"
