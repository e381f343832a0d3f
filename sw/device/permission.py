"""Who may open a serial port, and the command that lets this user do it."""

import getpass
import os


def group_of(port: str) -> str:
    """Name the group that a port belongs to.

    Parameters
    ----------
    port : str
        The port's path.
    """
    import grp  # there is none on Windows

    number = os.stat(port).st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def join_command(group: str) -> str:
    """Return what puts this user into a group.

    Parameters
    ----------
    group : str
        The group's name.
    """
    return f"sudo usermod -aG {group} {getpass.getuser()}, then log in again"


def refusal(port: str) -> str:
    """Say why this user may not open a port, and what mends it.

    Parameters
    ----------
    port : str
        The path of a port that the operating system refused to open.
    """
    try:
        member = os.stat(port).st_gid in {os.getegid(), *os.getgroups()}
        group = group_of(port)
    except (OSError, ImportError, AttributeError):  # no such file any more, or a system without groups
        return "you have no permission"
    if member:
        return f"you have no permission, although you are in its group {group}"
    return f"you are not in the group {group}: {join_command(group)}"
