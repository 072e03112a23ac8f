"""Line files: appended across segments, cut where a tail starts, read from anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment.errors import StorageError
from muniment.store.layout import SEGMENT_ENTRIES
from muniment.store.segments import Segments


@pytest.fixture
def segments(tmp_path: Path) -> Segments:
    one = Segments(tmp_path / "entries")
    one.append(0, [b"%d" % number for number in range(SEGMENT_ENTRIES + 10)])
    return one


def test_lines_run_over_segments(segments: Segments) -> None:
    assert segments.numbers() == [0, 1]
    assert len(segments.path(0).read_bytes().splitlines()) == SEGMENT_ENTRIES
    for start in (0, 5, SEGMENT_ENTRIES - 1, SEGMENT_ENTRIES, SEGMENT_ENTRIES + 9):
        lines = list(segments.lines(start))
        assert lines[0] == (start, b"%d" % start)
        assert len(lines) == SEGMENT_ENTRIES + 10 - start


def test_a_torn_line_is_no_line(segments: Segments) -> None:
    with segments.path(1).open("ab") as stream:
        stream.write(b"torn")
    assert [number for number, _ in segments.lines(SEGMENT_ENTRIES + 9)] == [SEGMENT_ENTRIES + 9]
    ((path, offset),) = segments.tail(SEGMENT_ENTRIES + 10)
    segments.cut(path, offset)
    assert not segments.tail(SEGMENT_ENTRIES + 10)


def test_a_tail_may_span_files(segments: Segments) -> None:
    tail = segments.tail(SEGMENT_ENTRIES - 1)
    assert [path.name for path, _ in tail] == ["000000.jsonl", "000001.jsonl"]
    for path, offset in tail:
        segments.cut(path, offset)
    assert [number for number, _ in segments.lines()] == list(range(SEGMENT_ENTRIES - 1))
    assert segments.numbers() == [0]


def test_a_refusing_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / "entries").write_bytes(b"a file where a folder should be")
    with pytest.raises(StorageError) as caught:
        Segments(tmp_path / "entries").append(0, [b"x"])
    assert str(tmp_path / "entries") in caught.value.diagnostics()
