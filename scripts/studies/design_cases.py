"""Random designs, each with records and passes: what `scripts/studies/random_designs.py` compares trainers on."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import boards
from hw.design.design import Design
from hw.schedule.folding import chain, pretraining_groups
from sw.spec.chance import FINE
from sw.spec.configuration import CONTEXTS
from sw.spec.network import Layer, Network
from sw.spec.numerics import WIDTHS
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers
from tests.cases import KINDS

STORE_WORDS = 1 << 12
MOST_RECORDS = 8
PASSES = "train", "predict and train", "predict", "mixed", "pretrain"
"""What a pass does; in a mixed one some records are only predicted. The last one needs groups of addends."""

KERNEL_NETWORKS = tuple(
    Network(tuple(map(Layer, sizes[:-1], sizes[1:], segments, [1] * (len(segments) - 1) + [0])), width, fine)
    for sizes, segments, width, fine in (
        ((3, 4, 1), (4, 8), 16, 0),
        ((3, 4, 1), (4, 8), 16, 4),
        ((4, 2), (8,), 16, 0),
        ((3, 4, 3, 2), (4, 8, 4), 16, 0),
        ((2, 3, 2), (2, 16), 12, 0),
        ((4, 4, 4, 1), (2, 4, 2), 16, 4),
        ((2, 2, 2, 2, 2), (4, 2, 4, 2), 16, 0),
        ((2, 6, 1), (16, 4), 20, 4),
        ((1, 1), (2,), 10, 0),
        ((2, 4, 3), (8, 2), 24, 0),
    )
)
"""Networks on which the compiled kernels train, too: each of them takes seconds to compile."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A design, what it is given, and what trains it beside the oracle and Amaranth's simulator.

    Attributes
    ----------
    design : Design
        The design.
    passes : tuple of (str, Rates)
        One of `PASSES` each, and its rates.
    kind : str
        Which of `tests.cases.KINDS` makes nodes and records.
    seed, records : int
        Its seed, and how many records there are.
    compiled, verilated : bool
        Whether the compiled kernels train the case, and the virtual board.
    """

    design: Design
    passes: tuple[tuple[str, Rates], ...]
    kind: str
    seed: int
    records: int
    compiled: bool
    verilated: bool

    @cached_property
    def data(self) -> tuple[list[np.ndarray], Records]:
        """First nodes, and the records."""
        return KINDS[self.kind](self.design.network, self.records, seed=self.seed)

    @property
    def trained(self) -> np.ndarray:
        """Whether each record is trained on in a mixed pass."""
        return np.random.default_rng(self.seed).random(self.records) < 0.7

    def describe(self) -> str:
        """Give the case as JSON, from which `from_text` makes an equal one."""
        design = self.design
        board = boards.find(design.board.name)
        plain = {
            "board": board.name,
            "low_latency": design.board.technology == board.technology.low_latency,
            "network": design.network.describe(),
            "taps": design.taps,
            "lanes": design.lanes,
            "exact": design.exact,
            "pretraining": design.pretraining,
            "contexts": design.contexts,
            "back_windows": design.back_windows,
            "passes": [{"does": does, **asdict(rates)} for does, rates in self.passes],
            **{name: getattr(self, name) for name in ("kind", "seed", "records", "compiled", "verilated")},
        }
        return json.dumps(plain, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "Case":
        """Make the case that `describe` described.

        Raises
        ------
        ValueError
            For any other text.
        """
        try:
            plain = json.loads(text)
            taken = {name: plain[name] for name in ("taps", "exact", "pretraining", "contexts")}
            design = Design(
                board=board_named(plain["board"], low_latency=plain["low_latency"]),
                network=Network.from_description(plain["network"]),
                lanes=tuple(plain["lanes"]),
                back_windows=tuple(plain["back_windows"]),
                store_words=STORE_WORDS,
                **taken,
            )
            passes = tuple(
                (each["does"], Rates(tuple(each["update"]), tuple(each["back"]))) for each in plain["passes"]
            )
            given = {name: plain[name] for name in ("kind", "seed", "records", "compiled", "verilated")}
            return cls(design=design, passes=passes, **given)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{text!r} describes no design: {error!r}") from error


def board_named(name: str, *, low_latency: bool) -> boards.Board:
    """Return a board, in its low-latency form if that is asked for."""
    board = boards.find(name)
    if not low_latency:
        return board
    if board.low_latency is None:
        raise ValueError(f"{name} has no low-latency form")
    return board.low_latency


def divisors(number: int) -> st.SearchStrategy[int]:
    """Draw a divisor, one as likely as any."""
    return st.sampled_from([count for count in range(1, number + 1) if number % count == 0])


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a small network: 1 to 4 layers, with any word and gains up to where sums are clipped."""
    count = draw(st.sampled_from([1, 2, 2, 2, 3, 3, 4]))
    most = {1: 6, 2: 4, 3: 3, 4: 2}[count]  # a design is simulated in less than a second
    sizes = draw(st.lists(st.integers(1, most), min_size=count + 1, max_size=count + 1))
    segments = draw(st.lists(st.sampled_from([2, 2, 4, 4, 8, 16]), min_size=count, max_size=count))
    gains = [*draw(st.lists(st.integers(0, 4), min_size=count - 1, max_size=count - 1)), 0]
    width = draw(st.one_of(st.just(16), st.sampled_from(list(WIDTHS))))
    try:
        return Network(tuple(map(Layer, sizes[:-1], sizes[1:], segments, gains)), width, draw(st.sampled_from(FINE)))
    except ValueError:  # no offset bits are left
        assume(False)
        raise


@st.composite
def cases(draw: st.DrawFn, *, kernel_networks: int = len(KERNEL_NETWORKS), verilated_in: int = 0) -> Case:
    """Draw a case.

    Parameters
    ----------
    draw : callable
        Hypothesis's.
    kernel_networks : int
        So many of `KERNEL_NETWORKS` are drawn; the compiled kernels train on these only.
    verilated_in : int
        About one case in so many is trained on the virtual board, too; none if it is 0.
    """
    known = draw(st.booleans()) and kernel_networks > 0
    network = draw(st.sampled_from(KERNEL_NETWORKS[:kernel_networks]) if known else networks())
    taps, lanes = draw(divisors(network.features)), tuple(draw(divisors(layer.outputs)) for layer in network.layers)
    board = boards.find(draw(st.sampled_from(boards.names())))
    low_latency = board.low_latency
    if low_latency and draw(st.booleans()):
        board = low_latency
    try:
        groups = pretraining_groups(network, chain(taps, lanes))
    except ValueError:
        groups = []
    word = network.word
    starts = range(word.back_shifts.start, word.back_shifts.stop - word.back_window_length + 1)
    windows = tuple(draw(st.sampled_from(starts)) for _ in network.layers[1:])
    design = Design(
        board=board,
        network=network,
        taps=taps,
        lanes=lanes,
        exact=draw(st.booleans()),
        pretraining=draw(st.sampled_from([*groups, 0])),
        contexts=draw(st.sampled_from([1, 1, 2, *CONTEXTS])),
        back_windows=windows,
        store_words=STORE_WORDS,
    )
    rates = st.builds(
        Rates,
        st.tuples(*(st.sampled_from(word.update_shifts) for _ in shifted_layers(len(network.layers)))),
        st.tuples(*(st.sampled_from(word.back_window(first)) for first in windows)),
    )
    does = st.sampled_from(PASSES if design.pretraining else PASSES[:-1])
    verilated = verilated_in > 0 and draw(st.integers(1, verilated_in)) == verilated_in and design.store_keeps_pace
    return Case(
        design=design,
        passes=tuple(draw(st.lists(st.tuples(does, rates), min_size=1, max_size=2))),
        kind=draw(st.sampled_from(sorted(KINDS))),
        seed=draw(st.integers(0, 1 << 16)),
        records=draw(st.integers(0, MOST_RECORDS)),
        compiled=network in KERNEL_NETWORKS[:kernel_networks],
        verilated=verilated,
    )
