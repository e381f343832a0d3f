"""A core in words: tables of its ports, registers, nodes and clocks, made from the component itself."""

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc

from amaranth import Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.core.axi_stream import AxiStreamCore, lane_bits, lanes, values_of
from hw.core.inference_core import InferenceCore
from hw.core.late_target_core import LateTargetCore
from hw.core.training_core import TrainingCore
from hw.link.bus import BusSignature
from sw.spec.addresses import LAYER_ADDRESS_BITS, addresses_of
from sw.spec.protocol import Space

ExportedCore = TrainingCore | LateTargetCore | InferenceCore
"""A core that has a description."""


def trainer_in(core: ExportedCore) -> TrainingCore | None:
    """Return the training core that a core is, or has inside; None if it only predicts."""
    if isinstance(core, LateTargetCore):
        return core.core
    return core if isinstance(core, TrainingCore) else None


def attributes_of(docstring: str | None) -> dict[str, str]:
    """Parse the section Attributes of a docstring in numpydoc form: the text of each name."""
    section = re.search(r"^Attributes\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", cleandoc(docstring or ""), re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    for names, text in re.findall(r"^(\S.*?) : .*\n((?:[ ]+.*\n?|\n)+)", section[1] if section else "", re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found


def table(*rows: Sequence[object]) -> Iterator[str]:
    """Yield the lines of a table in Markdown; the first row is its head."""
    for index, row in enumerate(rows):
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"
        if not index:
            yield f"|{'---|' * len(row)}"


def port_table(component: wiring.Component) -> Iterator[str]:
    """Yield the table of a component's ports, by their names in Verilog; of a wrapper those that are not the core's."""
    bus = attributes_of(BusSignature.__doc__)
    core = component.core if isinstance(component, AxiStreamCore) else component
    texts = attributes_of(TrainingCore.__doc__) | attributes_of(type(core).__doc__)
    rows: list[Sequence[object]] = [
        ("port", "direction", "bits", "meaning"),
        ("`clk`", "in", 1, "The clock; all ports are sampled at its rising edge."),
        ("`rst`", "in", 1, "Reset, synchronous, high."),
    ]
    streams = component.streams if isinstance(component, AxiStreamCore) else {}
    for path, member, _ in component.signature.flatten(component):
        first, *rest = map(str, path)
        if streams and first in component.core.signature.members:
            continue
        stream = next((name for name, prefix in streams.items() if first.startswith(prefix)), first)
        if first == "bus":
            meaning = bus[rest[0]]
        elif rest in (["valid"], ["ready"]) or first.endswith(("_tvalid", "_tready")):
            meaning = "A transfer takes place where `valid` and `ready` are both high."
        elif first.endswith("_tlast"):
            meaning = "The end of a packet."
        else:
            meaning = texts[stream]
        direction = "in" if member.flow is In else "out"
        rows.append((f"`{'__'.join((first, *rest))}`", direction, Shape.cast(member.shape).width, meaning))
    yield from table(*rows)


def payload_table(core: wiring.Component) -> Iterator[str]:
    """Yield the table of the values in each stream's payload, and in TDATA of the wrapper."""
    rows: list[Sequence[object]] = [("stream", "value", "bits", "in `payload`", "in `tdata`")]
    for name, member in core.signature.members.items():
        if "payload" not in getattr(member.signature if member.is_signature else member, "members", {}):
            continue
        layout = getattr(core, name).payload.shape()
        places = {value: lane for value, _, _, lane in lanes(layout)}
        for value, shape, offset in values_of(layout):
            width, signed = Shape.cast(shape).width, Shape.cast(shape).signed
            lane = f"{places[value] + lane_bits(shape) - 1}:{places[value]}" if value in places else "`tlast`"
            kind = f"{width}, signed" if signed else width
            place = f"{offset + width - 1}:{offset}" if width > 1 else offset
            rows.append((f"`{name}`", f"`{value}`", kind, place, lane))
    yield from table(*rows)


def clock_table(core: ExportedCore) -> Iterator[str]:
    """Yield the table of the core's latencies, in clocks."""
    rows: list[Sequence[object]] = [("from", "to", "clocks")]
    if isinstance(core, InferenceCore):
        rows += [
            ("start of a record", "earliest start of the next", core.initiation_interval),
            ("start of a record", "its prediction can be taken", core.latency),
        ]
    elif isinstance(core, LateTargetCore):
        schedule = core.plan.schedule
        rows += [
            ("start of a record or a target", "earliest start of the next", schedule.initiation_interval),
            ("start of a record", "its prediction can be taken", core.latency),
            ("a target is offered", "its start, if nothing is under way", 1),
            ("start of a target", "the last write of its update", schedule.latency),
        ]
    else:
        schedule = core.plan.schedule
        rows += [
            ("start of a record", "earliest start of the next", schedule.initiation_interval),
            ("start of a record", "its prediction can be taken", core.latency),
            ("start of a record", "the last write of its update", schedule.latency),
            ("result of a record", "the last write of its update", schedule.latency - schedule.result_latency),
        ]
    yield from table(*rows)


def register_table(core: TrainingCore) -> Iterator[str]:
    """Yield the table of the registers behind the core's bus."""
    registers = core.registers
    rows: list[Sequence[object]] = [("address", "register", "bits", "access", "meaning")]
    for register in registers.values():
        start = registers.address(register.name)
        place = start if register.words == 1 else f"{start} to {start + register.words - 1}"
        rows.append((place, f"`{register.name}`", register.bits, register.access, register.doc))
    yield from table(*rows)


def node_table(core: TrainingCore) -> Iterator[str]:
    """Yield the table of the bit fields of a node's address, for each layer."""
    plan = core.plan
    rows: list[Sequence[object]] = [
        ("layer", "inputs x nodes x outputs", "fields of the address, the lowest bit first")
    ]
    for index, addresses in enumerate(addresses_of(plan.network, plan.foldings)):
        fields = ", ".join(f"`{name}` {bits}" for name, bits in addresses.fields.items() if bits)
        rows.append(
            (index, " x ".join(map(str, addresses.layer.shape)), f"{fields}; {index} from bit {LAYER_ADDRESS_BITS}")
        )
    yield from table(*rows)


def describe(core: ExportedCore, name: str) -> str:
    """Describe a core in Markdown.

    Parameters
    ----------
    core : TrainingCore, LateTargetCore or InferenceCore
        The core.
    name : str
        Name of its module.
    """
    trainer, plan = trainer_in(core), core.plan
    doc = cleandoc(type(core).__doc__ or "").partition("\nParameters\n")[0].strip()
    form = plan.network.formats[0]
    kind = f"the schedule is {'exact' if plan.exact else f'delayed, with a staleness of {plan.schedule.staleness}'}"
    kind = kind if trainer else "it does not train"
    lines = [
        f"# {name}",
        "",
        f"{plan.network}, with the latencies of {plan.technology.name}; {kind}.",
        "",
        *doc.splitlines(),
        "",
        "## Clocks",
        "",
        *clock_table(core),
        "",
        f"## Ports of `{name}`",
        "",
        *port_table(core),
        "",
        f"## Ports of `{name}_axis`",
        "",
        "These take the place of the streams' ports; the other ports are the same.",
        "",
        *port_table(AxiStreamCore(core, name)),
        "",
        "## Payloads",
        "",
        f"An argument code is a feature's place in its range, from 0 to {form.last_code}. Target and result words are",
        "signed. Array elements are numbered from 0, in the order of the model's features and targets.",
        "",
        *payload_table(core),
    ]
    if trainer:
        ranges = ", ".join(f"{legal.start} to {legal.stop - 1}" for legal in plan.back_shifts)
        back = f"back shifts, by layer, {ranges}" if ranges else "there are no back shifts"
        update, (steps, errors) = plan.network.word.update_shifts, (trainer.rates.update, trainer.rates.back)
        lines += [
            "",
            "## Registers",
            "",
            f"They are in space {Space.REGISTERS.value}, a word of {trainer.word_bits} bits at each address; the",
            f"lowest word of a register comes first. Update shifts are {update.start} to {update.stop - 1};",
            f"{back}. After a reset the rates are {f'{steps} and {errors}' if errors else steps}.",
            "",
            *register_table(trainer),
            "",
            "## Nodes",
            "",
            f"They are in space {Space.PARAMETERS.value}. `row` is slot * (segments / 2) + node / 2, and slot more",
            "where the node is even; slot is output group * input groups + input group. `odd` is the node's parity.",
            "",
            *node_table(trainer),
        ]
    return "\n".join(lines) + "\n"
