from typing import Any

import pytest
from cobs import cobs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hw.link.cobs import Decoder, Encoder
from tests.hw.streams import lawful, simulate, sink, source
from tests.slow import slow

RUN = bytes(range(1, 255))  # 254 bytes, none of them zero
BYTES = st.one_of(st.binary(max_size=40), st.lists(st.sampled_from([0, 1, 255]), max_size=40).map(bytes))
FRAMES = st.lists(BYTES, min_size=1, max_size=4)
LONG = [RUN, RUN[:-1], RUN + b"\x07", RUN + b"\x00", RUN + RUN, b"\x00" + RUN, RUN + RUN + b"\x00" + RUN[:3], b""]
BUDGET = settings(max_examples=12)


def tokens(frame: bytes) -> list[dict[str, int]]:
    return [{"data": byte, "end": 0} for byte in frame] + [{"data": 0, "end": 1}]


def encode(frames: list[bytes], chance: float, frame_bytes: int) -> bytes:
    encoder = Encoder(frame_bytes=frame_bytes)
    expected = b"".join(bytes(cobs.encode(frame)) + b"\x00" for frame in frames)
    taken: list[int] = []
    simulate(
        encoder,
        source(encoder.tokens, [token for frame in frames for token in tokens(frame)], chance=chance, seed=1),
        sink(encoder.bytes, taken, len(expected), chance=chance, seed=2),
        monitors=[lawful(encoder.bytes)],
        cycles=200 + int(20 * len(expected) / chance),
    )
    assert bytes(taken) == expected
    return expected


def decode(encoded: bytes, chance: float) -> list[tuple[bytes, bool]]:
    """Frames and whether each was damaged."""
    decoder = Decoder()
    taken: list[Any] = []
    damaged: list[int] = []

    async def watch(context: Any) -> None:
        async for _, _, valid, ready, payload, bad in context.tick().sample(
            decoder.tokens.valid, decoder.tokens.ready, decoder.tokens.payload, decoder.damaged
        ):
            if valid and ready:
                taken.append(payload)
                damaged.append(bad)

    simulate(
        decoder,
        source(decoder.bytes, encoded, chance=chance, seed=1),
        monitors=[watch, lawful(decoder.tokens), sink(decoder.tokens, [], 1 << 30, chance=chance, seed=2)],
        cycles=200 + int(20 * len(encoded) / chance),
    )
    frames = []
    frame = bytearray()
    for token, bad in zip(taken, damaged, strict=True):
        if token.end:
            frames.append((bytes(frame), bool(bad)))
            frame.clear()
        else:
            frame.append(token.data)
    return frames


@BUDGET
@given(FRAMES, st.sampled_from([1.0, 0.4]))
@example([b"", b"\x00", b"\x00\x00", b"\x01"], 1.0)
def test_encodes_like_the_library(frames: list[bytes], chance: float) -> None:
    encode(frames, chance, 256)


@pytest.mark.parametrize("chance", [slow(1.0), 0.6])
def test_encodes_runs_of_254_like_the_library(chance: float) -> None:
    encode(LONG, chance, 1024)


def test_longest_frames_follow_each_other() -> None:
    encode([RUN] * 5, 1.0, 256)


@BUDGET
@given(FRAMES, st.sampled_from([1.0, 0.4]))
@example([b"", b"\x00", b"\x00\x00", b"\x01"], 1.0)
def test_decodes_what_the_library_encodes(frames: list[bytes], chance: float) -> None:
    encoded = b"".join(bytes(cobs.encode(frame)) + b"\x00" for frame in frames)
    assert decode(encoded, chance) == [(frame, False) for frame in frames]


def test_decodes_runs_of_254() -> None:
    encoded = b"".join(bytes(cobs.encode(frame)) + b"\x00" for frame in LONG)
    assert decode(encoded, 1.0) == [(frame, False) for frame in LONG]


@BUDGET
@given(st.lists(st.binary(min_size=1, max_size=12).map(lambda data: data.replace(b"\x00", b"\x03")), max_size=6))
def test_calls_damaged_what_the_library_cannot_decode(pieces: list[bytes]) -> None:
    decoded = decode(b"".join(piece + b"\x00" for piece in pieces), 1.0)
    assert len(decoded) == len(pieces)
    for piece, (frame, damaged) in zip(pieces, decoded, strict=True):
        try:
            assert (frame, damaged) == (cobs.decode(piece), False)
        except cobs.DecodeError:
            assert damaged


def test_delimiters_alone_are_no_frames() -> None:
    assert decode(b"\x00\x00\x02\x41\x00\x00\x00", 1.0) == [(b"A", False)]
