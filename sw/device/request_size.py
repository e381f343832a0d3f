"""How many words a request carries: fewer where long frames do not pass."""

LEAST_WORDS = 10
"""A request that a single transfer must carry, as one that starts a pass, is never longer than this."""

TRIES = 3  # sends of a request after which requests are made shorter
CLEAN = 16  # requests in a row that were answered at once, after which they are made longer


class RequestSize:
    """The longest request, in words: a quarter after requests that do not pass, twice as long after those that do.

    Attributes
    ----------
    shortened : int
        Times at which requests were made shorter.
    """

    def __init__(self) -> None:
        self.shortened = 0
        self._halvings = 0
        self._clean = 0

    @property
    def short(self) -> bool:
        """Whether requests are shorter than they could be."""
        return self._halvings > 0

    def words(self, longest: int) -> int:
        """Return the words of the next request.

        Parameters
        ----------
        longest : int
            Words that fit a frame.
        """
        return max(longest >> self._halvings, min(longest, LEAST_WORDS))

    def answered(self, sends: int) -> None:
        """Take note of an answer to a request that was sent so many times."""
        self._clean = self._clean + 1 if sends == 1 else 0
        if self._clean == CLEAN:
            self._clean, self._halvings = 0, max(0, self._halvings - 1)

    def shorten(self, words: int, sends: int, longest: int) -> bool:
        """Make requests shorter, if one of `words` words has been sent too often; return whether it should be split.

        Parameters
        ----------
        words, sends : int
            Of a request without an answer.
        longest : int
            Words that fit a frame.
        """
        if sends < TRIES or words <= LEAST_WORDS:
            return False
        while self.words(longest) > max(words // 4, LEAST_WORDS):
            self._halvings += 1
        self.shortened += 1
        self._clean = 0
        return True
