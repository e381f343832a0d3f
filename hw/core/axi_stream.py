"""AXI4-Stream around a core: its streams with whole bytes, in Verilog that instantiates the core by name."""

from typing import Any

from amaranth import Cat, ClockSignal, Instance, Module, ResetSignal, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

STREAMS = {"records": "s_axis_records", "targets": "s_axis_targets", "predictions": "m_axis_predictions"}
"""What the streams of a core are called here: `s` for those that it takes, `m` for the one that it gives."""


def lane_bits(shape: Any) -> int:
    """Return the bits of the lane of a value: whole bytes."""
    return 8 * -(-Shape.cast(shape).width // 8)


def lanes(layout: Any) -> list[tuple[str, Any, int, int]]:
    """List the lanes of a stream's TDATA, the lowest first.

    Parameters
    ----------
    layout : data.Layout
        Of the payload.

    Returns
    -------
    list of (str, Shape, int, int)
        Name of the value, its shape, its first bit in the payload, and the first bit of its lane. `last` has none: it
        is TLAST.
    """
    found, lane = [], 0
    for name, shape, offset in values_of(layout):
        if name != "last":
            found.append((name, shape, offset, lane))
            lane += lane_bits(shape)
    return found


def values_of(layout: Any, name: str = "", offset: int = 0) -> list[tuple[str, Any, int]]:
    """List the values of a layout: name, shape and first bit of each."""
    if not isinstance(layout, data.Layout):
        return [(name, layout, offset)]
    found = []
    for key, field in layout:
        inner = f"{name}[{key}]" if isinstance(key, int) else f"{name}.{key}".lstrip(".")
        found += values_of(field.shape, inner, offset + field.offset)
    return found


class AxiStreamCore(wiring.Component):
    """A core with AXI4-Stream ports (ARM IHI 0051A): TVALID, TREADY, TDATA and, for records and predictions, TLAST.

    There is one transfer for each record, target and prediction. TDATA has a lane of whole bytes for each value, which
    lies in the lane's low bits; in predictions the sign of a result is repeated above it. TLAST of a record comes
    back with its prediction; a core whose targets come late has a tag in TDATA instead. All other ports are the core's.

    Parameters
    ----------
    core : TrainingCore, LateTargetCore or InferenceCore
        The core.
    name : str
        Name of the core's module.
    """

    def __init__(self, core: wiring.Component, name: str):
        self.core, self.name = core, name
        ports: dict[str, Any] = {}
        for stream, prefix in self.streams.items():
            layout = getattr(core, stream).payload.shape()
            *_, (_, shape, _, lane) = lanes(layout)
            to_core, from_core = (In, Out) if prefix.startswith("s") else (Out, In)
            ports |= {
                f"{prefix}_tdata": to_core(lane + lane_bits(shape)),
                f"{prefix}_tvalid": to_core(1),
                f"{prefix}_tready": from_core(1),
            }
            if "last" in [name for name, *_ in values_of(layout)]:
                ports[f"{prefix}_tlast"] = to_core(1)
        others = {port: member for port, member in core.signature.members.items() if port not in STREAMS}
        super().__init__({**ports, **others})

    @property
    def streams(self) -> dict[str, str]:
        """Those of `STREAMS` that the core has."""
        return {stream: prefix for stream, prefix in STREAMS.items() if stream in self.core.signature.members}

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        connections: dict[str, Any] = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for stream, prefix in self.streams.items():
            payload = Signal.like(Value.cast(getattr(self.core, stream).payload), name=f"{stream}_payload")
            taken = prefix.startswith("s")
            self._connect(m, payload, getattr(self.core, stream).payload.shape(), prefix, taken=taken)
            into, out = ("i", "o") if taken else ("o", "i")
            connections |= {
                f"{into}_{stream}__payload": payload,
                f"{into}_{stream}__valid": getattr(self, f"{prefix}_tvalid"),
                f"{out}_{stream}__ready": getattr(self, f"{prefix}_tready"),
            }
        for path, member, value in self.signature.flatten(self):
            if path[0] in self.core.signature.members:
                side = "i" if member.flow is In else "o"
                connections[f"{side}_{'__'.join(map(str, path))}"] = value
        m.submodules.core = Instance(self.name, **connections)
        return m

    def _connect(self, m: Module, payload: Signal, layout: Any, prefix: str, *, taken: bool) -> None:
        """Connect the payload of a stream to TDATA and TLAST."""
        word = getattr(self, f"{prefix}_tdata")
        packed = []
        for _, shape, offset, lane in lanes(layout):
            width = Shape.cast(shape).width
            value = payload[offset : offset + width]
            if taken:
                m.d.comb += value.eq(word[lane : lane + width])
            else:
                sign = value[-1] if Shape.cast(shape).signed else 0
                packed += [value, Cat(*[sign] * (lane_bits(shape) - width))]
        if not taken:
            m.d.comb += word.eq(Cat(*packed))
        for name, _, offset in values_of(layout):
            if name == "last":
                last = getattr(self, f"{prefix}_tlast")
                m.d.comb += payload[offset].eq(last) if taken else last.eq(payload[offset])
