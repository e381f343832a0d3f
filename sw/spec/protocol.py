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
the expected sequence number and NAK. HELLO is accepted with any number and begins a link session,
whose first number is 0. Without one, as after a reset, every other request is answered NO_SESSION.

Frames that are damaged, too long, or cut short are dropped and counted.
"""

import binascii
from dataclasses import dataclass
from enum import IntEnum

from cobs import cobs

VERSION = 5


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
    PREDICT_AND_TRAIN = 3  # trains, and writes each record's results before its own update, as PREDICT writes them


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
    """A CRC in Williams's parameter model.

    Attributes
    ----------
    width : int
        Bits of the CRC.
    polynomial : int
        Generator, without its highest term.
    initial : int
        Content of the register before the first bit.
    reflected : bool
        Whether bytes enter, and the CRC leaves, least significant bit first.
    xor_output : int
        What the register is combined with at the end, by exclusive or.
    """

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
    """Compute the CRC of `data` by the parameters in `CRC`."""
    return binascii.crc32(data)


def max_write_words(word_bytes: int) -> int:
    """Words that fit one WRITE request."""
    return (MAX_PAYLOAD - TARGET_BYTES) // word_bytes


def max_read_words(word_bytes: int) -> int:
    """Words that fit the reply to one READ."""
    return (MAX_PAYLOAD - 1) // word_bytes


class FrameError(ValueError):
    """Raised for bytes between two delimiters that are no frame."""


@dataclass(frozen=True)
class Frame:
    """A frame without its CRC.

    Attributes
    ----------
    type : int
        A `Command`, with `REPLY` set in a reply.
    sequence : int
        Sequence number, 0 to 255.
    payload : bytes
        At most `MAX_PAYLOAD` bytes.
    """

    type: int
    sequence: int
    payload: bytes

    def encode(self) -> bytes:
        """Give the bytes on the wire, delimiter included.

        Raises
        ------
        ValueError
            If the payload is longer than `MAX_PAYLOAD`.
        """
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(f"a payload is at most {MAX_PAYLOAD} bytes, not {len(self.payload)}")
        body = bytes([self.type, self.sequence]) + self.payload
        return bytes(cobs.encode(body + checksum(body).to_bytes(CRC_BYTES, "little"))) + DELIMITER

    @classmethod
    def decode(cls, encoded: bytes) -> "Frame":
        """Parse the bytes between two delimiters.

        Raises
        ------
        FrameError
            If COBS, length or CRC are wrong.
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
