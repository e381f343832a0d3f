"""The time after which requests are resent."""

NOISY = 8  # how much shorter the time may be on a noisy line
LATE = 1.5  # by which it grows with a reply to a request that was sent again: it may have been too soon


class ResendTimer:
    """Seconds of silence after which requests are resent; they adapt to how fast the board answers.

    Each silence doubles them, and each reply ends that.

    Parameters
    ----------
    least, most : float
        The limits of `seconds`. On a noisy line, where most silences are losses: `least` / NOISY, and 2 * `least`.

    Attributes
    ----------
    seconds : float
        The present time; at first, `least`.
    noisy : bool
        Whether many frames are lost; False at first.
    """

    def __init__(self, least: float, most: float) -> None:
        self.seconds = self._usual = self._least = least
        self._most = most
        self.noisy = False

    def answered(self, elapsed: float | None = None) -> None:
        """Take note of a reply: `elapsed` seconds after its request, if that is known, as it was sent once."""
        least = self._least / NOISY if self.noisy else self._least
        usual = min(LATE * self._usual, self._least / 2) if elapsed is None else 4 * elapsed
        self.seconds = self._usual = min(max(least, usual), self._most)

    def unanswered(self) -> None:
        """Double the time after a silence."""
        self.seconds = min(2 * self.seconds, 2 * self._least if self.noisy else self._most)

    def restart(self) -> None:
        """Begin with the least time again."""
        self.seconds = self._usual = self._least / NOISY if self.noisy else self._least
