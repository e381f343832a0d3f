"""The link under cocotb and Verilator."""

from pathlib import Path

from hw.link.endpoint import LinkEndpoint
from sim.cocotb_bench.runner import run_bench


def test_the_link_over_its_pins(waves: Path | None) -> None:
    digest = bytes(range(0xD0, 0xD8))
    link = LinkEndpoint(clocks_per_bit=8, word_bytes=3, digest=digest, idle_bits=64)
    parameters = {
        "clocks_per_bit": link.clocks_per_bit,
        "word_bytes": link.word_bytes,
        "digest": list(digest),
        "idle_bits": link.idle_bits,
        "windows": 60,
    }
    run_bench(link, "tests.hw.link.bench_link", parameters=parameters, waves=waves)
