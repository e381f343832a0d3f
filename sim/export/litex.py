"""A LiteX module around an exported core, as an example in Python."""

from amaranth import Shape
from amaranth.lib.wiring import In

from hw.core.axi_stream import AxiStreamCore, values_of
from hw.core.description import ExportedCore, trainer_in

HEAD = '''\
"""{name} in LiteX. In a SoC: self.core = Core(platform){csr}.

Its streams are endpoints; `data` is the payload without `last`, its highest bit. Run as a program, this file writes
{name}_litex.v, a module with the ports of the core, on which `make litex` runs the test bench.
"""

from pathlib import Path

from litex.gen import LiteXModule
from litex.gen.fhdl.verilog import convert
from litex.soc.interconnect import stream
from migen import Cat, ClockDomain, ClockSignal, {condition}Instance, ResetSignal, Signal


class Core(LiteXModule):
    def __init__(self, platform=None):
'''

CSR = '''
    def add_csr(self):
        """Let the CPU set `enable`, and make transfers on the bus: a write to `command` starts one."""
        from litex.soc.interconnect.csr import CSRField, CSRStatus, CSRStorage

        self._enable = CSRStorage(1)
        self._idle = CSRStatus(1)
        self._address = CSRStorage(fields=[CSRField("address", size={address}), CSRField("space", size={space})])
        self._write_data = CSRStorage({word})
        self._command = CSRStorage(1, description="0 reads, 1 writes")
        self._read_data = CSRStatus({word})
        self._status = CSRStatus(fields=[CSRField("done"), CSRField("refused"), CSRField("fault")])
        self.comb += [
            self.enable.eq(self._enable.storage),
            self._idle.status.eq(self.idle),
            self.bus_address.eq(self._address.fields.address),
            self.bus_space.eq(self._address.fields.space),
            self.bus_write_data.eq(self._write_data.storage),
            self.bus_write.eq(self._command.storage),
            self._status.fields.done.eq(~self.bus_valid),
        ]
        self.sync += If(self._command.re, self.bus_valid.eq(1)).Elif(
            self.bus_ready,
            self.bus_valid.eq(0),
            self._read_data.status.eq(self.bus_read_data),
            self._status.fields.refused.eq(self.bus_refused),
            self._status.fields.fault.eq(self.bus_fault),
        )
'''

TAIL = '''

class Bench(LiteXModule):
    """The core with the ports of {name}, for its test bench."""

    def __init__(self):
        self.cd_sys = ClockDomain("sys")
        self.cd_sys.clk, self.cd_sys.rst = Signal(name="clk"), Signal(name="rst")
        self.core = core = Core()
        self.ios = {{self.cd_sys.clk, self.cd_sys.rst}}
{ports}

    def port(self, name, width):
        signal = Signal(width, name=name)
        self.ios.add(signal)
        return signal


if __name__ == "__main__":
    bench = Bench()
    Path("{name}_litex.v").write_text(str(convert(bench, bench.ios, name="{name}_litex")))
'''


def litex_example(core: ExportedCore, name: str) -> str:
    """Write the example for a core whose module is called `name`."""
    body, ports, instance = [], [], ["i_clk=ClockSignal()", "i_rst=ResetSignal()"]
    streams = AxiStreamCore(core, name).streams
    for path, member, _ in core.signature.flatten(core):
        first, *rest = map(str, path)
        port, width, taken = "__".join((first, *rest)), Shape.cast(member.shape).width, member.flow is In
        if first not in streams:
            signal = "_".join((first, *rest))
            body.append(f"self.{signal} = Signal({width})")
            value = f"core.{signal}"
        elif rest == ["payload"]:
            has_last = "last" in [value for value, *_ in values_of(getattr(core, first).payload.shape())]
            body.append(f'self.{first} = stream.Endpoint([("data", {width - has_last})])')
            value = f"Cat(core.{first}.data, core.{first}.last)" if has_last else f"core.{first}.data"
        else:
            value = f"core.{first}.{rest[0]}"
        instance.append(f"{'i' if taken else 'o'}_{port}={value.replace('core.', 'self.')}")
        sides = value, f'self.port("{port}", {width})'
        ports.append("self.comb += {}.eq({})".format(*(sides if taken else reversed(sides))))
    body += ["self.specials += Instance(", f'    "{name}",', *(f"    {each}," for each in instance), ")"]
    body += ["if platform is not None:", f'    platform.add_source(str(Path(__file__).with_name("{name}.v")))']
    indented = "".join(f"        {line}\n" for line in body)
    csr = ""
    if trainer := trainer_in(core):
        widths = {field: len(getattr(trainer.bus, field)) for field in ("address", "space", "read_data")}
        csr = CSR.format(address=widths["address"], space=widths["space"], word=widths["read_data"])
    bench = TAIL.format(name=name, ports="\n".join(f"        {line}" for line in ports))
    trains = {"csr": "; self.core.add_csr()", "condition": "If, "} if csr else {"csr": "", "condition": ""}
    return HEAD.format(name=name, **trains) + indented + csr + bench
