from sim.buffered_port import BufferedPort
from sim.faulty_port import FaultRates, FaultyPort

COUNT = 20_000


class Loop(BufferedPort):
    """A port that gives back what is written."""

    def write(self, data: bytes, /) -> int:
        self.received += data
        return len(data)


def written(rates: FaultRates, seed: int = 0) -> tuple[FaultyPort, bytes]:
    """The port, and what comes out of it for COUNT zeros."""
    loop = Loop()
    port = FaultyPort(loop, rates, seed=seed)
    assert port.write(bytes(COUNT)) == COUNT
    return port, bytes(loop.received)


def near(count: int, rate: float) -> bool:
    expected = rate * COUNT
    return abs(count - expected) < 5 * expected**0.5


def test_without_rates_everything_passes() -> None:
    port, data = written(FaultRates())
    assert data == bytes(COUNT)
    assert port.read(COUNT) == bytes(COUNT)


def test_flips_are_of_one_bit_at_the_given_rate() -> None:
    port, data = written(FaultRates(flip=0.02))
    flipped = [byte for byte in data if byte]
    assert len(data) == COUNT
    assert {byte.bit_count() for byte in flipped} == {1} and len(set(flipped)) == 8
    assert len(flipped) == port.sent.flipped and near(len(flipped), 0.02)


def test_drops_and_duplicates_come_at_the_given_rates() -> None:
    port, data = written(FaultRates(drop=0.02, duplicate=0.05))
    assert len(data) == COUNT - port.sent.dropped + port.sent.duplicated
    assert near(port.sent.dropped, 0.02) and near(port.sent.duplicated, 0.05)


def test_inserted_bytes_and_bursts_come_at_the_given_rates() -> None:
    port, data = written(FaultRates(insert=0.02))
    assert len(data) == COUNT + port.sent.inserted and near(port.sent.inserted, 0.02)
    port, data = written(FaultRates(burst=0.002, burst_bytes=100))
    assert near(port.sent.bursts, 0.002) and port.sent.bursts < len(data) - COUNT < 100 * port.sent.bursts
    assert data.count(0) >= COUNT and port.written == COUNT


def test_replies_are_lost_and_come_late() -> None:
    port, _ = written(FaultRates(lose=0.3, hold=0.3, hold_seconds=1e-4))
    received = [port.read(100) for _ in range(COUNT // 100)]
    assert port.received.lost == received.count(b"") > 20 and port.received.held > 20


def test_reads_are_damaged_too_and_never_longer_than_asked() -> None:
    port, data = written(FaultRates(duplicate=0.2))
    port.sent.duplicated = 0
    received = b""
    while port.in_waiting:
        piece = port.read(7)
        assert len(piece) <= 7
        received += piece
    assert len(received) == len(data) + port.received.duplicated > len(data)


def test_the_seed_decides() -> None:
    rates = FaultRates(0.1, 0.1, 0.1)
    assert written(rates, 1)[1] == written(rates, 1)[1] != written(rates, 2)[1]


def test_faults_can_be_switched_off() -> None:
    port, _ = written(FaultRates(drop=0.5))
    port.reset_input_buffer()
    port.enabled = False
    port.write(b"abc")
    assert port.read(3) == b"abc"
