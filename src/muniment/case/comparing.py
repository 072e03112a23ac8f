"""Two files compared without a case, and a file against a case: nothing is written anywhere."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from muniment.case import searching, tracing
from muniment.case.damage import Damage
from muniment.case.examining import limits, malformed, outcome_of
from muniment.collect.content_type import identify
from muniment.collect.files import SourceFolder
from muniment.engine import supervisor
from muniment.errors import InputError, IntegrityError, MalformedError
from muniment.examine import registry
from muniment.model.examine import Examined, Wanted
from muniment.model.ids import short
from muniment.model.trace import Pair, Verdict
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Ended, Limits
from muniment.store.layout import CaseFolder
from muniment.trace import clip as clips
from muniment.trace.clip import Clip
from muniment.trace.compare import compare, compared
from muniment.trace.register import Looked

_HEAD_BYTES = 8192


class Files:
    """The engine's step for plain files: look at what tracing needs, keep it in memory.

    With `keys_only` only the fingerprint of key frames is made.
    """

    def __init__(self, keys_only: bool = False) -> None:
        self._asked: dict[Path, tuple[str, ...]] = {}
        self._keys_only = keys_only

    @contextmanager
    def open(self, key: Path) -> Iterator[tuple[int, bytes]]:
        source = SourceFolder(key)
        try:
            if not source.is_file:
                raise InputError(
                    "is no file", subject=os.fspath(key), remedy="Name one clip or picture."
                )
            opened = source.open(next(iter(source.listing())).raw)
            try:
                media = identify(os.pread(opened.fd, _HEAD_BYTES, 0), key.name)
                size = os.fstat(opened.fd).st_size
                asked = self._asked[key] = _needed(media.by_content, media.by_name, key)
                told: dict[str, Any] = {}
                if self._keys_only:
                    asked = self._asked[key] = ("fingerprint",)
                    told = {"keys_only": True}
                wanted = Wanted(asked, media.by_content, size, told)
                yield opened.fd, msgspec.msgpack.encode(wanted)
            finally:
                os.close(opened.fd)
        finally:
            source.close()

    def limits(self, key: Path) -> Limits:
        return limits(key.stat().st_size)

    def store(self, key: Path, ended: Ended) -> tuple[Path, Examined]:
        try:
            return key, outcome_of(ended, self._asked[key])
        except MalformedError as error:
            return key, malformed(error)

    def refused(self, key: Path, error: Exception) -> tuple[Path, Examined]:
        raise error


def _needed(by_content: str, by_name: str | None, path: Path) -> tuple[str, ...]:
    """The examiners that tracing needs, for what calls itself footage or is it.

    Raises:
        InputError: if it is nothing that can be traced.
    """
    for _, names in registry.passes(by_content, by_name):
        needed = tuple(name for name in names if name in clips.NEEDED)
        if needed:
            return needed
    raise InputError(
        f"is {by_content}, no footage",
        subject=os.fspath(path),
        remedy="Name a video, a picture or a sound recording.",
    )


def read_files(files: Iterable[Path], zygote: Zygote) -> dict[Path, Clip]:
    """The clips of some files, decoded in confinement.

    Raises:
        InputError: naming the file that cannot be read or decoded.
    """
    found: dict[Path, Clip] = {}
    for path, examined in supervisor.map(Files(), list(dict.fromkeys(files)), zygote):
        findings = {
            one.examiner: (one.facts, {blob.name: blob.data for blob in one.blobs})
            for one in examined.findings
        }
        if examined.problem and not findings:
            detail = f" ({examined.detail})" if examined.detail else ""
            raise MalformedError(f"{examined.problem}{detail}", subject=str(path))
        found[path] = clips.clip(os.fspath(path), findings)
    return found


def compare_files(a: Path, b: Path, zygote: Zygote) -> dict[str, Any]:
    """`muniment trace compare A B`.

    Raises:
        MunimentError: naming the file that cannot be compared.
    """
    for path in (a, b):
        if not path.exists():
            raise InputError("not found", subject=str(path), remedy="Check the path.")
    found = read_files((a, b), zygote)
    pair = compare(found[a], found[b])
    if pair.verdict is not Verdict.SAME_FOOTAGE and filecmp.cmp(a, b, shallow=False):
        why = "the two files are the same bytes; too little moves in them to lay one on the other"
        pair = Pair(pair.a, pair.b, Verdict.SAME_FOOTAGE, 1.0, reasons=(why,))
    return as_json(pair)


def like(
    folder: CaseFolder, file: Path, zygote: Zygote, tell: Callable[[str], None] | None = None
) -> list[dict[str, Any]]:
    """`muniment search --like FILE`: the case's clips that share picture with the file, best first;
    those are compared that the search among fingerprints proposes.

    Args:
        tell: called with a line for each clip whose fingerprint cannot be read.
    Raises:
        MunimentError: if the file cannot be examined or the case cannot be read.
    """
    if not file.exists():
        raise InputError("not found", subject=str(file), remedy="Check the path.")
    query = read_files((file,), zygote)[file]
    index = searching.open_index(folder)
    try:
        names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))
        damage, memory = Damage(folder, index), searching.memory_of(folder)
        held = tracing.collection(folder, index, damage, memory)
        looked, pairs = Looked(query), list[Pair]()
        for number in held.proposed(looked):
            # One that cannot be read any more is told, and the others are compared.
            with suppress(IntegrityError):
                pairs.append(compared(looked, held.shelf[number]))
    finally:
        index.close()
    if tell is not None:
        for line in damage.lines:
            tell(line)
    order = list(Verdict)
    shared = [one for one in pairs if one.verdict is not Verdict.NO_MATCH]
    shared.sort(key=lambda one: (order.index(one.verdict), -one.score))
    return [
        as_json(one) | {"b_source": {"item": short("item", one.b), "name": names.get(one.b) or ""}}
        for one in shared
    ]


def as_json(pair: Pair) -> dict[str, Any]:
    """A pair as docs/trace.md has it; nobody decides on files outside a case."""
    found: dict[str, Any] = msgspec.to_builtins(pair)
    return {name: value for name, value in found.items() if name not in ("decision", "falls_with")}
