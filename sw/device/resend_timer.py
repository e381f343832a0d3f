"""The time after which requests are resent."""


class ResendTimer:
    """Seconds of silence after which requests are resent; they adapt to how fast the board answers.

    Parameters
    ----------
    least, most : float
        The limits of `seconds`.

    Attributes
    ----------
    seconds : float
        The present time; at first, `least`.
    """

    def __init__(self, least: float, most: float) -> None:
        self.seconds = self._least = least
        self._most = most

    def answered(self, elapsed: float) -> None:
        """Adapt to a reply that came `elapsed` seconds after its request."""
        self.seconds = min(max(self._least, 4 * elapsed), self._most)

    def unanswered(self) -> None:
        """Double the time after a silence."""
        self.seconds = min(2 * self.seconds, self._most)
