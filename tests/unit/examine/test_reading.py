"""The host believes nothing of a worker's answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from muniment.errors import MalformedError
from muniment.examine import reading
from muniment.examine.registry import VERSIONS
from muniment.model.examine import OF_THE_HOST, Blob, Examined, Finding, Note, Problem

FRAMES = VERSIONS["frames"]
PICTURE = Blob("key-00", "rgb24", bytes(12), width_px=2, height_px=2, time_s="0.000")


def packed(*findings: Finding, **more: Any) -> bytes:
    return msgspec.msgpack.encode(Examined(findings=findings, **more))


def test_a_well_formed_answer_is_taken() -> None:
    finding = Finding("frames", FRAMES, {"key_pictures": 1, "key_times_ms": [0]}, (PICTURE,))
    assert reading.examined(packed(finding)).findings == (finding,)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02",
        msgspec.msgpack.encode([1, 2]),
        packed()[:-1],
        packed() + b"\x00",
        packed(Finding("frames", FRAMES, {"a": 1.5})),
        packed(Finding("frames", FRAMES, {"ä": 1})),
        packed(Finding("frames", FRAMES, {"a": 1 << 60})),
        packed(Finding("frames", FRAMES, {"a": "x" * 300_000})),
        packed(Finding("frames", "0", {})),
        packed(Finding("shell", FRAMES, {})),
        packed(Finding("frames", FRAMES, {}), Finding("frames", FRAMES, {})),
        packed(Finding("frames", FRAMES, {}, (PICTURE, PICTURE))),
        packed(Finding("frames", FRAMES, {}, (Blob("../x", "bytes", b""),))),
        packed(Finding("frames", FRAMES, {}, (Blob("a", "bytes", b"", media_type="x\n"),))),
        packed(Finding("frames", FRAMES, {}, (Blob("a", "bytes", b"", width_px=1),))),
        packed(Finding("frames", FRAMES, {}, (Blob("a", "bytes", b"", time_s="1e9"),))),
        packed(
            Finding("frames", FRAMES, {}, (Blob("a", "rgb24", bytes(11), width_px=2, height_px=2),))
        ),
        packed(Finding("frames", FRAMES, {}, (Blob("a", "rgb24", b"", width_px=0, height_px=0),))),
        packed(
            Finding("frames", FRAMES, {}, (Blob("a", "rgb24", b"", width_px=1 << 40, height_px=1),))
        ),
        packed(
            Finding("frames", FRAMES, {}, tuple(Blob(f"b{at}", "bytes", b"") for at in range(65)))
        ),
        packed(notes=tuple(Note("x") for _ in range(65))),
        packed(detail="x" * 3_000),
        packed(libraries={"a b": "1"}),
    ],
)
def test_anything_else_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedError):
        reading.examined(payload)


def test_deep_nesting_is_refused() -> None:
    deep = b"\x81\xa1a" * 100_000 + b"\x01"
    whole = packed(Finding("frames", FRAMES, {"here": 1}))
    with pytest.raises(MalformedError):
        reading.examined(whole.replace(b"\x81\xa4here\x01", deep))


@pytest.mark.parametrize("problem", OF_THE_HOST)
@pytest.mark.parametrize("findings", [(), (Finding("frames", FRAMES, {"a": 1}),)])
def test_what_only_the_host_can_know_is_refused(
    problem: Problem, findings: tuple[Finding, ...]
) -> None:
    with pytest.raises(MalformedError, match="which only the host can know"):
        reading.examined(packed(*findings, problem=problem))


@pytest.mark.parametrize("problem", sorted(set(Problem) - set(OF_THE_HOST)))
def test_all_other_problems_are_taken(problem: Problem) -> None:
    assert reading.examined(packed(problem=problem)).problem is problem
