"""What comes from a worker is counted, bounded and never trusted to be whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from muniment.sandbox.protocol import FRAME, FRAME_BYTES, Command, Frames, Kind, Order, Status
from muniment.sandbox.records import Limits


def frame(kind: int, data: bytes) -> bytes:
    return FRAME.pack(kind, len(data)) + data


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 17))
def test_frames_in_any_pieces(parts: list[bytes], step: int) -> None:
    frames = Frames(10_000)
    whole = b"".join(frame(Kind.DATA, part) for part in parts)
    for start in range(0, len(whole), step):
        frames.feed(whole[start : start + step])
    assert bytes(frames.data) == b"".join(parts)
    assert frames.complete


@given(st.binary(max_size=400), st.integers(0, 64))
def test_any_bytes_are_bounded(data: bytes, limit_bytes: int) -> None:
    frames = Frames(limit_bytes)
    frames.feed(data)
    assert len(frames.data) <= limit_bytes
    assert len(frames.words) <= 2000


def test_over_the_limit_keeps_no_more() -> None:
    frames = Frames(10)
    frames.feed(frame(Kind.DATA, b"x" * 8) + frame(Kind.DATA, b"y" * 8))
    assert frames.over and bytes(frames.data) == b"x" * 8 and not frames.complete


def test_lengths_and_kinds_that_are_not_ours() -> None:
    for head in (FRAME.pack(1, FRAME_BYTES + 1), FRAME.pack(9, 1), FRAME.pack(1, 0)):
        frames = Frames(1 << 30)
        frames.feed(head + b"data")
        assert frames.malformed and not frames.data


def test_a_cut_answer_is_not_complete() -> None:
    frames = Frames(100)
    frames.feed(frame(Kind.DATA, b"abc")[:-1])
    assert not frames.complete


def test_records_travel_whole() -> None:
    command = Command(Order.SPAWN, 7, Limits(1 << 30, 1.5, 2.5, 10))
    assert Command.decode(command.encode()) == command
    status = Status(9, True, 0.25, 1.0, 4096)
    assert Status.decode(status.encode()) == status
