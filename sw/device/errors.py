"""What can go wrong between host and board."""


class LinkError(Exception):
    """The link cannot do what it was asked for."""


class UnpluggedError(LinkError):
    """The port is gone."""


class NoAnswerError(LinkError):
    """Nothing that is a reply came in time."""


class WrongDeviceError(LinkError):
    """Something answers, but not the board that is meant."""


class BoardResetError(LinkError):
    """The board has forgotten the session; what was written since it began may be lost."""


class BusyError(LinkError):
    """The space cannot be accessed while the board trains."""


class RejectedError(LinkError):
    """The board cannot execute this request, now or later."""
