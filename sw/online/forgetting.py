"""Learning rates that fall while a stream stays as it is, and rise when the error does."""

from math import log2
from typing import Any

from sw.spec.schedule import Rates

DETECTORS = ("adwin", "page-hinkley")
"""Names of River's drift detectors."""

BLOCK_RECORDS = 16  # of which a detector sees the mean error
LEAST_ERROR = 2.0**-12  # standard deviations of the targets; smaller errors are the same to a detector
CALM_RECORDS = 4000  # without an alarm, until the rates are halved; twice as many until they are halved again
HALVINGS = 3  # of the rates, at most
ALARM_RECORDS = 1000  # after an alarm, with rates that are doubled


def detector_of(name: str) -> Any:
    """Make a detector of River for the logarithms of mean errors.

    Parameters
    ----------
    name : str
        One of `DETECTORS`.

    Raises
    ------
    ModuleNotFoundError
        If River is not installed.
    ValueError
        For another name.
    """
    from river import drift

    if name == "adwin":
        return drift.ADWIN(delta=0.002, clock=1)
    if name == "page-hinkley":
        return drift.PageHinkley(min_instances=10, delta=0.1, threshold=3.0, mode="up")
    raise ValueError(f"drift detector {name!r}; the detectors are {', '.join(DETECTORS)}")


class Forgetting:
    """Learning rates that follow the error: what a model has learnt is forgotten faster after a drift.

    A detector of River sees the logarithm of the mean error of each block of records, so that it need not know how
    large errors are. An alarm, which is a drift upwards, doubles the rates for a while. Calm halves them, and halves
    them again after twice as long.

    Parameters
    ----------
    rates : Rates
        The rates between alarm and calm.
    detector : str
        One of `DETECTORS`.
    """

    def __init__(self, rates: Rates, detector: str):
        self._base, self._detector = rates, detector_of(detector)
        self._level = 0
        self._since = 0  # records since the last alarm, or since the beginning
        self._alarmed = False

    @property
    def rates(self) -> Rates:
        """The rates of the next block."""
        return Rates(tuple(max(0, shift + self._level) for shift in self._base.update), self._base.back)

    def observe(self, error: float) -> bool:
        """Take note of a block of records; tells whether it raises an alarm.

        Parameters
        ----------
        error : float
            The mean absolute error of its predictions, in standard deviations of the targets.
        """
        before = getattr(self._detector, "estimation", float("-inf"))
        self._detector.update(log2(max(error, LEAST_ERROR)))
        alarm = self._detector.drift_detected and getattr(self._detector, "estimation", float("inf")) > before
        self._since = 0 if alarm else self._since + BLOCK_RECORDS
        self._alarmed |= alarm
        if self._alarmed and self._since < ALARM_RECORDS:
            self._level = -1
        else:
            self._level = min(HALVINGS, (self._since // CALM_RECORDS).bit_length())
        return alarm
