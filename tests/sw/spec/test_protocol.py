from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.spec.network import Network
from sw.spec.protocol import (
    DELIMITER,
    ENCODED_BYTES,
    MAX_PAYLOAD,
    Frame,
    FrameError,
    checksum,
    max_read_words,
    max_write_words,
)
from sw.spec.registers import LINK_COUNTERS, REGISTERS, Register, RegisterTable, register_table

BYTE = st.integers(0, 255)
FRAMES = st.builds(Frame, BYTE, BYTE, st.binary(max_size=MAX_PAYLOAD))


@given(FRAMES)
def test_frames_survive_the_wire(frame: Frame) -> None:
    encoded = frame.encode()
    assert encoded.endswith(DELIMITER) and DELIMITER not in encoded[:-1] and len(encoded) <= ENCODED_BYTES
    assert Frame.decode(encoded[:-1]) == frame


@given(FRAMES, st.data())
def test_damage_is_noticed(frame: Frame, data: st.DataObject) -> None:
    encoded = bytearray(frame.encode()[:-1])
    place = data.draw(st.integers(0, len(encoded) - 1))
    if data.draw(st.booleans()):
        del encoded[place]
    else:
        encoded[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError):
        Frame.decode(bytes(encoded))


def test_the_longest_frame_fills_the_limit() -> None:
    assert len(Frame(1, 1, b"\x01" * MAX_PAYLOAD).encode()) == ENCODED_BYTES
    with pytest.raises(ValueError, match=f"at most {MAX_PAYLOAD} bytes, not {MAX_PAYLOAD + 1}"):
        Frame(1, 1, bytes(MAX_PAYLOAD + 1)).encode()


def test_the_crc_is_the_catalogues() -> None:
    assert checksum(b"123456789") == 0xCBF43926


@pytest.mark.parametrize("word_bytes", [2, 3])
def test_as_many_words_as_fit(word_bytes: int) -> None:
    # Beside the words, WRITE carries space and address, a reply to READ its status.
    for words, others in ((max_write_words(word_bytes), 4), (max_read_words(word_bytes), 1)):
        assert others + word_bytes * words <= MAX_PAYLOAD < others + word_bytes * (words + 1)


def test_registers_lie_one_behind_the_other() -> None:
    table = RegisterTable(Register("a", 16, "r", ""), Register("b", 17, "w", ""), Register("c", 1, "r", ""))
    assert [table.address(name) for name in table] == [0, 1, 3]
    assert table.words == 4
    with pytest.raises(KeyError, match="no register 'd'; there are a, b, c"):
        table["d"]
    with pytest.raises(ValueError, match="'a' is declared twice"):
        RegisterTable(table["a"], table["b"], table["a"])


def test_rates_lie_behind_the_registers_of_every_board() -> None:
    network = Network.chain((2, 2, 2, 2, 1), (4,) * 4)
    table = register_table(network)
    assert [table.address(name) for name in REGISTERS] == [REGISTERS.address(name) for name in REGISTERS]
    assert list(table)[len(REGISTERS) :] == [
        f"{kind}_shift_{layer}" for layer in (1, 2, 3) for kind in ("update", "back")
    ]
    assert list(register_table(replace(network, fine=4))) == [*table, "chance", "set_chance"]


def test_the_links_counters_are_registers() -> None:
    assert all(REGISTERS[register.name] is register for register in LINK_COUNTERS)
