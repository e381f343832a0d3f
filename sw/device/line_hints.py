"""What the counters of host and board say of the line, in words for the user."""

from collections.abc import Mapping

from sw.device.link_statistics import LinkStatistics

NOISY_SHARE = 0.02  # of requests that were sent again
FEW = 10  # requests that are sent again on any line, when a computer is busy
FLOATING = 4  # bytes without a stop bit, a request: more than a noisy line makes


def hints(statistics: LinkStatistics, counted: Mapping[str, int]) -> list[str]:
    """Say what is wrong with a line, if anything is.

    Parameters
    ----------
    statistics : LinkStatistics
        Of the host's end.
    counted : mapping of str to int
        What the board's counters counted meanwhile.

    Returns
    -------
    list of str
        A sentence each; none for a good line.
    """
    found = []
    if counted["uart_errors"] > FLOATING * max(statistics.requests, FEW):
        found.append(
            f"Nothing is driving the board's RX at times: {counted['uart_errors']:,} bytes had no stop bit. Check the "
            "cable and its plug."
        )
    lost = counted["crc_errors"] + counted["frame_errors"] + counted["uart_errors"] + statistics.damaged
    if lost and statistics.resent > max(FEW, NOISY_SHARE * statistics.requests):
        found.append(
            f"The line is noisy: {statistics.resent:,} of {statistics.requests:,} requests were sent again. Take a "
            "shorter cable, or build the board for a lower --baud."
        )
    if counted["overruns"]:
        found.append(
            f"{counted['overruns']:,} frames found the board's memory full: does another program write to its port?"
        )
    return found
