"""The errors between host and board."""


class BoardError(Exception):
    """The board answers, but what it did is not what it was asked for."""


class BoardTakenError(BoardError):
    """Another program used the board meanwhile."""


class LinkError(Exception):
    """The link cannot carry out a request."""


class UnpluggedError(LinkError):
    """The port is gone."""


class NoAnswerError(LinkError):
    """No reply came in time."""


class WrongDeviceError(LinkError):
    """A device answers, but it is not the board that is meant."""


class BoardResetError(LinkError):
    """The board has forgotten the link session; data written since the session began may be lost."""


class BusyError(LinkError):
    """The address space cannot be accessed while the board trains."""


class RejectedError(LinkError):
    """The board cannot execute this request, now or later."""
