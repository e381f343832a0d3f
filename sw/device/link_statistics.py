"""Counts of what the host's end of the link has seen."""

from dataclasses import dataclass


@dataclass
class LinkStatistics:
    """Counts since the link was made.

    Attributes
    ----------
    sessions : int
        Link sessions that were begun.
    requests : int
        READ and WRITE requests, each counted once.
    resent : int
        Requests that were sent again.
    naks : int
        Replies with the status NAK.
    silences : int
        Times at which requests were resent because no reply had come.
    damaged : int
        Frames from the board that were dropped.
    """

    sessions: int = 0
    requests: int = 0
    resent: int = 0
    naks: int = 0
    silences: int = 0
    damaged: int = 0
