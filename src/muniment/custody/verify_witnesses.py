"""What the verifier concludes about witnesses: who cosigned which head of this log, and whether what a
reader got from a witness is part of it. Pure."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from muniment.custody import checkpoint as checkpoints
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.cosignature import VKey, apart, cosigned_at, read_vkey
from muniment.custody.judged import StampPins, refuse_odd_time
from muniment.custody.reader import Reader
from muniment.custody.verify_log import Findings, LogPass
from muniment.errors import EXIT_INTEGRITY, EXIT_SIGNATURE, MalformedError, SignatureError
from muniment.model.display import count
from muniment.model.times import format_utc, parse_utc
from muniment.model.verify import Check, Status
from muniment.model.witnesses import Cosigned, Witness
from muniment.store.layout import STAMP_NAME

NAME: Final = "witnesses"
GIVEN_NAME: Final = "witnessed elsewhere"


def given_sizes(pins: StampPins) -> set[int]:
    """Sizes of the cosigned checkpoints that the reader brings.

    Raises:
        MalformedError: if one is none.
    """
    return {checkpoints.parse(data).size for data in pins.witnessed}


def check_witnesses(log: LogPass, reader: Reader, pins: StampPins) -> tuple[list[Check], set[str]]:
    """The checks over cosignatures, and the files that entries name."""
    found, named = Findings(), set[str]()
    held: list[tuple[int, str]] = []
    for index, at, values in log.cosigned:
        try:
            held.append(_judged(log, reader, index, at, values, named))
        except (MalformedError, SignatureError) as error:
            found.add(error.subject or f"entry {index}", error.what)
    checks = []
    if log.witnesses:
        checks.append(_quorum(log, found, held))
    if pins.witnessed or log.witnesses:
        checks.append(_given(log, pins))
    return checks, named


def _judged(
    log: LogPass, reader: Reader, index: int, at: str, values: dict[str, Any], named: set[str]
) -> tuple[int, str]:
    """Size and organisation of a cosignature that holds.

    Raises:
        MalformedError: naming the piece, and what is wrong with it.
        SignatureError: if the log contradicts its time.
    """
    try:
        cosigned = msgspec.convert(values, Cosigned)
        place = log.witnesses.get(cosigned.witness)
        if place is None or place[0] > index:
            raise MalformedError("names no witness that was pinned before it")
        witness = msgspec.convert(place[1], Witness)
        name = cosigned.file.file
        if not STAMP_NAME.fullmatch(name) or not name.endswith(".cosigned"):
            raise MalformedError("names a file that is no cosigned checkpoint")
    except msgspec.ValidationError as error:
        raise MalformedError(f"is no cosignature in its form ({error})") from error
    named.add(name)
    data = reader.read(name)
    if data is None:
        raise MalformedError(f"is missing (entry {index} names it)", subject=name)
    if hashlib.sha256(data).hexdigest() != cosigned.file.sha256:
        raise MalformedError(f"is not the file that entry {index} names", subject=name)
    note = checkpoints.parse(data)
    if note.short() != cosigned.checkpoint or note.size > index:
        raise MalformedError("is of another checkpoint than its entry says", subject=name)
    moment = cosigned_by(note, read_vkey(witness.vkey))
    if moment is None:
        raise MalformedError(
            f"the cosignature of {witness.organisation} does not hold", subject=name
        )
    if moment != cosigned.time_utc:
        raise MalformedError("states another time than its entry", subject=name)
    if log.roots.get(note.size) != note.root or (
        log.root and note.origin != checkpoints.origin_of(log.root.case)
    ):
        raise MalformedError(
            f"split view: {witness.organisation} cosigned another log of {note.size} entries",
            subject=name,
        )
    refuse_odd_time(parse_utc(moment), log.times.get(note.size, at), at)
    own, _ = apart(note)
    _, problems = checkpoints.problems(own, log.agents_below(note.size))
    if problems:
        raise MalformedError(problems[0], subject=name)
    return note.size, witness.organisation


def cosigned_by(note: Checkpoint, key: VKey) -> str | None:
    """When the holder of a key cosigned a note (UTC), by its word; None when no line of it holds."""
    own, others = apart(note)
    for line in others:
        moment = cosigned_at(own, line, key)
        if moment is not None:
            return format_utc(moment)
    return None


def quorum_size(held: list[tuple[int, str]], quorum: int) -> int:
    """How many entries, from the first, so many organisations have cosigned; 0 when none.

    Example:
        >>> quorum_size([(5, "a"), (9, "a"), (7, "b")], 2)
        7
    """
    reach: dict[str, int] = {}
    for size, organisation in held:
        reach[organisation] = max(reach.get(organisation, 0), size)
    sizes = sorted(reach.values(), reverse=True)
    return sizes[quorum - 1] if 0 < quorum <= len(sizes) else 0


def _quorum(log: LogPass, found: Findings, held: list[tuple[int, str]]) -> Check:
    latest = max(log.witnesses.values(), key=lambda place: place[0])[1]
    quorum = latest.get("quorum")
    quorum = quorum if type(quorum) is int and quorum > 0 else 1
    organisations = {organisation for _, organisation in held}
    size = quorum_size(held, quorum)
    if not found.count and not size:
        why = f"{len(organisations)} of {count(quorum, 'organisation')} asked for have cosigned"
        return Check(NAME, Status.NOT_CHECKED, f"the quorum is not reached: {why}")
    passed = (
        f"the first {count(size, 'entry', 'entries')} are cosigned by {quorum} or more of"
        f" {count(len(organisations), 'organisation')}; the keys are those this case names"
    )
    return found.check(NAME, EXIT_SIGNATURE, passed, "a cosignature is missing or refused")


def _given(log: LogPass, pins: StampPins) -> Check:
    """Cosigned checkpoints that the reader got elsewhere, held against this log."""
    if not pins.witnessed:
        why = (
            "no --witnessed was given: ask a witness what it last cosigned of this case; it would show"
            " a rollback, or another history"
        )
        return Check(GIVEN_NAME, Status.NOT_CHECKED, why)
    keys = [read_vkey(text) for text in pins.witnesses]
    keys += [read_vkey(str(values.get("vkey"))) for _, values in log.witnesses.values()]
    found, bad = Findings(), Findings()
    for number, data in enumerate(pins.witnessed, 1):
        note = checkpoints.parse(data)
        piece = f"cosigned checkpoint {number}, {note.size} entries"
        if not any(cosigned_by(note, key) for key in keys):
            bad.add(piece, "holds no cosignature of a witness given or named in this case")
        elif log.root and note.origin != checkpoints.origin_of(log.root.case):
            bad.add(piece, "is of another case")
        elif note.size > log.frontier.size:
            held = count(log.frontier.size, "entry", "entries")
            found.add(piece, f"rolled back: a witness has cosigned more; this log has {held}")
        elif log.roots.get(note.size) != note.root:
            found.add(piece, "split view: a witness has cosigned another log of that size")
    if found.count:
        return found.check(GIVEN_NAME, EXIT_INTEGRITY, "", "a witness has seen another history")
    passed = f"{count(len(pins.witnessed), 'cosigned checkpoint')}: this log continues each"
    return bad.check(GIVEN_NAME, EXIT_SIGNATURE, passed, "what was given is no cosigned checkpoint")
