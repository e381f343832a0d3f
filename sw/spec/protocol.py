"""The link between host and board, declared once for both ends.

Bytes travel over a UART (8N1) as COBS frames ended by 0x00. A decoded frame is

    type (1)  sequence (1)  payload (0 .. MAX_PAYLOAD)  CRC (4, little-endian, over all before it)

The host sends requests; the board answers each with type | REPLY, the same sequence number and a payload that ends with
a `Status`:

    HELLO  nonce (4)                        -> version (1), digest (8), word_bytes (1), credits (1), nonce (4), status
    READ   space (1) address (3) count (1)  -> count words, status
    WRITE  space (1) address (3) words      -> status

All numbers are little-endian. A word is `word_bytes` bytes (2 or more, told by HELLO); the address counts words and
grows by one a word. A status other than OK may come after fewer data; the words before it have been transferred.

The board executes a request whose sequence number is the expected one, and expects the next one when that succeeded.
A WRITE seen before is answered OK but not executed again; a READ is. A request that comes too early is answered with
the expected sequence number and NAK. HELLO is accepted with any number and begins a session, whose first number is 0.
Without a session, as after a reset, every other request is answered NO_SESSION.

Frames that are damaged, too long, or cut short are dropped and counted.
"""

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from cobs import cobs

VERSION = 3
CREDITS = 4  # requests of any length that the board's receive memory holds at once

DELIMITER = b"\x00"
ENCODED_BYTES = 256  # longest frame on the wire, its COBS code and its delimiter included
FRAME_BYTES = ENCODED_BYTES - 2
HEADER_BYTES = 2

NONCE_BYTES = 4
DIGEST_BYTES = 8
ADDRESS_BYTES = 3
TARGET_BYTES = 1 + ADDRESS_BYTES  # space and address, in READ and WRITE

REPLY = 0x80


class Command(IntEnum):
    """Frame types of requests."""

    HELLO = 1
    READ = 2
    WRITE = 3


class Space(IntEnum):
    """Address spaces behind READ and WRITE."""

    REGISTERS = 0
    RECORDS = 1
    PARAMETERS = 2
    CONFIGURATION = 3


class Mode(IntEnum):
    """What a pass over the records does."""

    TRAIN = 0
    PREDICT = 1
    PRETRAIN = 2  # groups of addends alone, where the configuration has groups


class Status(IntEnum):
    """Last byte of a reply's payload."""

    OK = 0
    BUSY = 1
    BAD_ADDRESS = 2
    BAD_COMMAND = 3
    BAD_LENGTH = 4
    NAK = 5
    NO_SESSION = 6


@dataclass(frozen=True)
class CrcParameters:
    """A CRC in the Williams model; `reflected` is both of its reflections."""

    width: int
    polynomial: int
    initial: int
    reflected: bool
    xor_output: int


CRC = CrcParameters(32, 0x04C11DB7, 0xFFFFFFFF, True, 0xFFFFFFFF)
"""CRC-32/ISO-HDLC. One in 2^32 damaged frames passes; 16 bits would let one in 65 536 through, and COBS turns some
single-bit errors into damage of any shape, so a 16-bit CRC's guarantee for short bursts would not help."""

CRC_BYTES = CRC.width // 8
MAX_PAYLOAD = FRAME_BYTES - HEADER_BYTES - CRC_BYTES


def checksum(data: bytes) -> int:
    """The CRC of `data` by the parameters in `CRC`."""
    return binascii.crc32(data)


def max_write_words(word_bytes: int) -> int:
    """Words that fit one WRITE request."""
    return (MAX_PAYLOAD - TARGET_BYTES) // word_bytes


def max_read_words(word_bytes: int) -> int:
    """Words that fit the reply to one READ."""
    return (MAX_PAYLOAD - 1) // word_bytes


class FrameError(ValueError):
    """Bytes between two delimiters that are no frame."""


@dataclass(frozen=True)
class Frame:
    """A frame without its CRC."""

    type: int
    sequence: int
    payload: bytes

    def encode(self) -> bytes:
        """The bytes on the wire, delimiter included.

        Raises `ValueError` for a payload longer than MAX_PAYLOAD.
        """
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(f"a payload is at most {MAX_PAYLOAD} bytes, not {len(self.payload)}")
        body = bytes([self.type, self.sequence]) + self.payload
        return bytes(cobs.encode(body + checksum(body).to_bytes(CRC_BYTES, "little"))) + DELIMITER

    @classmethod
    def decode(cls, encoded: bytes) -> "Frame":
        """The frame in `encoded`, the bytes between two delimiters.

        Raises `FrameError` where COBS, length or CRC are wrong.
        """
        try:
            data = bytes(cobs.decode(encoded))
        except cobs.DecodeError as error:
            raise FrameError(f"no COBS frame: {error}") from error
        if not HEADER_BYTES + CRC_BYTES <= len(data) <= FRAME_BYTES:
            raise FrameError(f"a frame has {HEADER_BYTES + CRC_BYTES} to {FRAME_BYTES} bytes, not {len(data)}")
        body, received = data[:-CRC_BYTES], int.from_bytes(data[-CRC_BYTES:], "little")
        if received != checksum(body):
            raise FrameError(f"the CRC is {checksum(body):#x}, the frame says {received:#x}")
        return cls(body[0], body[1], body[HEADER_BYTES:])


REGISTER_WORD_BITS = 16  # of the narrowest word: registers have the same addresses, whatever the width of words


@dataclass(frozen=True)
class Register:
    """A value of `bits` bits in consecutive words of the space REGISTERS, least significant word first.

    One of access "w" keeps what the host writes, for the board alone to read.
    """

    name: str
    bits: int
    access: Literal["r", "w"]
    doc: str

    @property
    def words(self) -> int:
        return -(-self.bits // REGISTER_WORD_BITS)


class RegisterTable(Mapping[str, Register]):
    """Registers by name, in order of address, from address 0 without gaps.

    Raises `ValueError` for a name that occurs twice, `KeyError` for an unknown one.
    """

    def __init__(self, *registers: Register) -> None:
        self._registers: dict[str, Register] = {}
        self._addresses: dict[str, int] = {}
        self.words = 0
        for register in registers:
            if register.name in self._registers:
                raise ValueError(f"register {register.name!r} is declared twice")
            self._registers[register.name] = register
            self._addresses[register.name] = self.words
            self.words += register.words

    def __getitem__(self, name: str) -> Register:
        if name not in self._registers:
            raise KeyError(f"no register {name!r}; there are {', '.join(self._registers)}")
        return self._registers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registers)

    def __len__(self) -> int:
        return len(self._registers)

    def address(self, name: str) -> int:
        """Address of the first word of register `name`."""
        return self._addresses[self[name].name]


COUNTER_BITS = 16

LINK_COUNTERS = (
    Register("crc_errors", COUNTER_BITS, "r", "frames dropped for their CRC"),
    Register("frame_errors", COUNTER_BITS, "r", "frames dropped: COBS, too short, too long, or with a broken byte"),
    Register("uart_errors", COUNTER_BITS, "r", "bytes dropped for their stop bit"),
    Register("overruns", COUNTER_BITS, "r", "frames dropped because the receive memory was full"),
    Register("timeouts", COUNTER_BITS, "r", "frames cut short, forgotten after the idle gap"),
    Register("duplicates", COUNTER_BITS, "r", "requests received again"),
    Register("gaps", COUNTER_BITS, "r", "requests from the future, answered by NAK"),
)
"""The link's own counters; they wrap."""

STATISTICS = (
    Register("records", 24, "r", "records of this pass so far"),
    Register("absolute_residual", 40, "r", "sum of |residual| over them"),
    Register("saturations", 24, "r", "nodes that an update drove to the end of the word"),
    Register("clips", 24, "r", "hidden arguments cut to their domain"),
    Register("cycles", 32, "r", "clocks in which a record was in flight, or contexts were being merged"),
)
"""What the trainer counts in a pass."""

CONTROLS = (
    Register("results", 24, "w", "word of the record store to which a predicting pass writes its first result"),
    Register("first", 24, "w", "row of the record store at which a pass begins"),
    Register("count", 24, "w", "records of a pass"),
    Register("start", 2, "w", "writing a `Mode` begins a pass and zeroes its statistics"),
)
"""What the host decides; `start` last, so that one request can hold all of a pass."""

REGISTERS = RegisterTable(
    *LINK_COUNTERS,
    Register("busy", 1, "r", "1 while a pass is under way"),  # first: what is read after a 0 is that of the whole pass
    *STATISTICS,
    Register("underruns", 16, "r", "records that came too late for the schedule; the pass is then not as specified"),
    *CONTROLS,
)
"""Those of every board."""


def rate_registers(layer: int) -> tuple[Register, Register]:
    """The update shift and the back shift of a layer past the first."""
    return (
        Register(f"update_shift_{layer}", 5, "w", f"learning rate of layer {layer}, as a shift"),
        Register(f"back_shift_{layer}", 5, "w", f"learning rate before layer {layer}, as a shift of error products"),
    )


def register_table(layers: int) -> RegisterTable:
    """Those of a board with so many layers: `REGISTERS`, at the same addresses, and the rates."""
    rates = (register for layer in range(1, layers) for register in rate_registers(layer))
    return RegisterTable(*REGISTERS.values(), *rates)
