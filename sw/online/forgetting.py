"""Learning rates that fall while a stream stays as it is, and rise when the error does."""

from math import log2
from typing import Any

from sw.spec.numerics import WordFormat
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
    word : WordFormat
        The network's word; its legal update shifts are the ends of rise and fall.
    detector : str
        One of `DETECTORS`.

    Attributes
    ----------
    rates : Rates
        The rates of the next block.
    """

    def __init__(self, rates: Rates, word: WordFormat, detector: str):
        self.rates = self._base = rates
        self._word, self._detector = word, detector_of(detector)
        self._level = 0
        self._since = 0  # records since the last alarm, or since the beginning
        self._alarmed = False

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
        calm = min(HALVINGS, (self._since // CALM_RECORDS).bit_length())
        self._set_level(-1 if self._alarmed and self._since < ALARM_RECORDS else calm)
        return alarm

    def _set_level(self, level: int) -> None:
        """Shift by so many bits more than between alarm and calm, where that is legal."""
        if level != self._level:
            self._level, legal = level, self._word.update_shifts
            update = (min(max(shift + level, legal[0]), legal[-1]) for shift in self._base.update)
            self.rates = Rates(tuple(update), self._base.back)
