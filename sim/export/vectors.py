"""Test vectors of a core, from the fixed-point oracle: what goes in and what comes out, as hexadecimal words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from amaranth import Shape
from amaranth.lib import data

from hw.core.description import ExportedCore
from hw.core.inference_core import InferenceCore
from hw.core.late_target_core import LateTargetCore
from hw.core.training_core import TrainingCore
from hw.datapath.ports import word_array
from sw.oracle.fixed import FixedReference
from sw.spec.addresses import addresses_of, node_addresses
from sw.spec.network import Network
from sw.spec.protocol import ADDRESS_BYTES
from sw.spec.records import Records
from sw.spec.registers import rate_values
from sw.spec.schedule import Rates

PASSES = 2
RECORDS = 60  # of a pass
TRAINED = 0.8  # of the records of a training core
PACKET = 5  # records, the last of which has `last`
DROPPED = 3  # targets at the end of a pass that no record waits for


@dataclass
class Vectors:
    """Vectors for the test bench.

    Attributes
    ----------
    parameters : dict of str to int
        Widths and counts, for the bench.
    words : dict of str to (int, list of int)
        The content of each file, by its name without the ending: bits of a word, and words.
    """

    parameters: dict[str, int] = field(default_factory=dict)
    words: dict[str, tuple[int, list[int]]] = field(default_factory=dict)

    def add(self, name: str, bits: int, words: Iterable[int]) -> None:
        """Add a file and the parameters that describe it."""
        self.words[name] = bits, [word & ((1 << bits) - 1) for word in words]
        self.parameters |= {f"{name.upper()}_BITS": bits, f"{name.upper()}_COUNT": len(self.words[name][1])}

    def files(self) -> dict[str, str]:
        """Return the text of each file by name."""
        texts = {"vectors.vh": "".join(f"localparam {name} = {value};\n" for name, value in self.parameters.items())}
        for name, (bits, words) in self.words.items():
            texts[f"{name}.hex"] = "".join(f"{word:0{-(-bits // 4)}x}\n" for word in words)
        return texts


def some_records(network: Network, count: int, rng: np.random.Generator) -> Records:
    """Draw records: arguments over the whole domain and at its ends, targets of which a tenth are ends of the word."""
    form, word = network.formats[0], network.word
    arguments = rng.integers(0, form.last_code + 1, (count, network.features))
    arguments[rng.random(arguments.shape) < 0.05] = 0
    arguments[rng.random(arguments.shape) < 0.05] = form.last_code
    targets = rng.integers(-word.maximum // 4, word.maximum // 4, (count, network.outputs))
    targets[::10] = rng.choice([word.minimum, word.maximum], targets[::10].shape)
    return Records(arguments, targets)


def packed(layout: data.Layout, rows: Iterable[object]) -> list[int]:
    """Return the bits of each payload."""
    return [layout.const(row).as_bits() for row in rows]


def training_vectors(core: TrainingCore, nodes: Sequence[np.ndarray], seed: int = 0) -> Vectors:
    """Make vectors of passes in which records train or only predict, and of the nodes before and after each.

    The rates of each pass are others than before. With the exact schedule the last pass has pauses; with the delayed
    one, pauses would change the staleness.
    """
    plan, network, rng, vectors = core.plan, core.network, np.random.default_rng(seed), Vectors()
    oracle = FixedReference(network, list(nodes), plan.schedule.staleness)
    streams: dict[str, list[int]] = {"records": [], "targets": [], "predictions": []}
    states, rate_words = [oracle.nodes], []
    for number in range(PASSES):
        records, train = some_records(network, RECORDS, rng), rng.random(RECORDS) < TRAINED
        rates = core.rates if not number else _others(core)
        results, _ = oracle.run(records, train, rates)
        states.append(oracle.nodes)
        _append(core, streams, records, results, train)
        streams["targets"] += packed(word_array(network.width, network.outputs), records.targets[train].tolist())
        rate_words += _rate_words(core, rates)
    _add_streams(core, vectors, streams)
    _add_trainer(core, vectors, states, rate_words)
    return vectors


def late_target_vectors(core: LateTargetCore, nodes: Sequence[np.ndarray], seed: int = 0) -> Vectors:
    """Make vectors of passes in which targets come later, in another order than their records, and some never.

    `order` has a bit for each record and each target, 1 for a target, in the order in which they are offered. At the
    end of a pass there are targets that no record waits for.
    """
    trainer, network, rng, vectors = core.core, core.network, np.random.default_rng(seed), Vectors()
    oracle, tags = FixedReference(network, list(nodes), trainer.plan.schedule.staleness), 1 << core.tag_bits
    payloads = {name: getattr(core, name).payload.shape() for name in ("records", "targets", "predictions")}
    streams: dict[str, list[int]] = {name: [] for name in payloads}
    states, rate_words, order = [oracle.nodes], [], list[int]()
    for number in range(PASSES):
        records = some_records(network, RECORDS, rng)
        rows, late = _late_order(tags, rng)
        rates = trainer.rates if not number else _others(trainer)
        starts = Records(records.arguments[rows], records.targets[rows])
        results, _ = oracle.run(starts, late, rates)
        states.append(oracle.nodes)
        dropped = np.full(DROPPED, RECORDS - 1)  # whose record has had its target
        given = np.concatenate([rows[late], dropped])
        codes, words, first = records.arguments.tolist(), records.targets.tolist(), results[~late].tolist()
        streams["records"] += packed(
            payloads["records"], ({"arguments": codes[row], "tag": row % tags} for row in rows[~late])
        )
        streams["targets"] += packed(payloads["targets"], ({"values": words[row], "tag": row % tags} for row in given))
        streams["predictions"] += packed(
            payloads["predictions"],
            ({"results": result, "tag": row % tags} for row, result in zip(rows[~late], first, strict=True)),
        )
        order += [*late.astype(int).tolist(), *[1] * DROPPED]
        rate_words += _rate_words(trainer, rates)
    _add_streams(core, vectors, streams)
    _add_trainer(trainer, vectors, states, rate_words)
    vectors.add("order", 1, order)
    vectors.parameters |= {"PASS_STARTS": len(order) // PASSES - DROPPED, "PASS_EVENTS": len(order) // PASSES}
    return vectors


def _late_order(tags: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw an order of a pass's records and targets, the last record's target last.

    Returns
    -------
    rows : ndarray of int
        Number of the record that starts, or whose target comes.
    late : ndarray of bool
        Whether it is the target.
    """
    records = np.arange(RECORDS)
    trained = rng.permutation(RECORDS - 1)[: round(TRAINED * RECORDS) - 1]
    after = np.minimum(trained + rng.integers(0, tags, len(trained)), RECORDS - 1)  # while the tag is still theirs
    rows = np.concatenate([records, trained, [RECORDS - 1]])
    late = np.arange(len(rows)) >= RECORDS
    times = np.concatenate([records, after + rng.uniform(0.1, 0.9, len(after)), [RECORDS]])
    places = np.argsort(times)
    return rows[places], late[places]


def _rate_words(core: TrainingCore, rates: Rates) -> list[int]:
    """Return an address and a word for each register of the rates."""
    return [core.registers.address(name) << core.word_bits | shift for name, shift in rate_values(rates).items()]


def _add_trainer(core: TrainingCore, vectors: Vectors, states: list[list[np.ndarray]], rate_words: list[int]) -> None:
    """Add the nodes before the first pass and after each, the rates of each pass, and what the bus needs."""
    addresses = node_addresses(addresses_of(core.network, core.plan.foldings))
    vectors.add("addresses", 8 * ADDRESS_BYTES, addresses.tolist())
    vectors.add("nodes", core.word_bits, (int(node) for state in states for layer in state for node in layer.ravel()))
    vectors.add("rates", 8 * ADDRESS_BYTES + core.word_bits, rate_words)
    vectors.parameters |= {
        "INTERVAL": core.plan.schedule.initiation_interval,
        "PAUSES": int(core.plan.exact),
        "CLEAR": core.registers.address("clear"),
        "RECORDS_REGISTER": core.registers.address("records"),
    }


def _others(core: TrainingCore) -> Rates:
    """Return rates that differ from the core's, and that it has."""
    update, plan = core.network.word.update_shifts, core.plan
    return Rates(
        tuple(update[(update.index(shift) + 1) % len(update)] for shift in core.rates.update),
        tuple(
            legal[(legal.index(shift) + 1) % len(legal)]
            for legal, shift in zip(plan.back_shifts, core.rates.back, strict=True)
        ),
    )


def inference_vectors(core: InferenceCore, nodes: Sequence[np.ndarray], seed: int = 0) -> Vectors:
    """Make vectors of passes that predict; the last one has pauses."""
    rng, vectors = np.random.default_rng(seed), Vectors()
    streams: dict[str, list[int]] = {"records": [], "predictions": []}
    oracle = FixedReference(core.network, list(nodes))
    for _ in range(PASSES):
        records = some_records(core.network, RECORDS, rng)
        _append(core, streams, records, oracle.predict(records.arguments))
    _add_streams(core, vectors, streams)
    vectors.parameters |= {"INTERVAL": core.initiation_interval, "PAUSES": 1}
    return vectors


def _append(
    core: TrainingCore | InferenceCore,
    streams: dict[str, list[int]],
    records: Records,
    results: np.ndarray,
    train: np.ndarray | None = None,
) -> None:
    """Add the payloads of a pass's records and predictions."""
    last = [int(index % PACKET == PACKET - 1) for index in range(len(records))]
    trained = [{}] * len(records) if train is None else [{"train": int(each)} for each in train]
    rows = zip(records.arguments.tolist(), trained, last, strict=True)
    inputs = ({"arguments": codes, **each, "last": end} for codes, each, end in rows)
    outputs = ({"results": words, "last": end} for words, end in zip(results.tolist(), last, strict=True))
    streams["records"] += packed(core.records.payload.shape(), inputs)
    streams["predictions"] += packed(core.predictions.payload.shape(), outputs)


def _add_streams(core: ExportedCore, vectors: Vectors, streams: dict[str, list[int]]) -> None:
    for name, words in streams.items():
        vectors.add(name, Shape.cast(getattr(core, name).payload.shape()).width, words)
    vectors.parameters |= {
        "PASSES": PASSES,
        "PASS_RECORDS": RECORDS,
        "PASS_STARTS": RECORDS,
        "LATENCY": core.latency,
    }
