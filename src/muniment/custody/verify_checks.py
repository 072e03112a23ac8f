"""What the verifier concludes from its pass: one function per named check. Pure."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import msgspec

from muniment.custody import checkpoint as checkpoints
from muniment.custody import root as roots
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keys import PublicKey
from muniment.custody.reader import Reader
from muniment.custody.rules import NEVER_ERASED
from muniment.custody.verify_log import Findings, LogPass
from muniment.errors import EXIT_ERROR, EXIT_INTEGRITY, EXIT_PARTLY, EXIT_SIGNATURE, InputError
from muniment.model.display import count
from muniment.model.verify import Check, Status, Unread
from muniment.store.layout import (
    CHECKPOINT,
    CHECKPOINTS,
    KEPT_CHECKPOINT_NAME,
    PRIVATE,
    ROOT,
    SEGMENT_ENTRIES,
    SEGMENT_NAME,
    STAMP_NAME,
    STAMPS,
    object_name,
    segment_file,
)


class Pins(msgspec.Struct, frozen=True):
    """What the reader holds from elsewhere: root fingerprint (hex), an earlier checkpoint as
    (size, root), and its signed note when that was given."""

    root_sha256: str | None = None
    since: tuple[int, bytes] | None = None
    since_note: Checkpoint | None = None


def check_root(log: LogPass, data: bytes | None, problem: str) -> Check:
    """root.json is in its form and is the one that entry 0 names."""
    found = Findings()
    if problem:
        found.add(ROOT, problem)
    elif log.first is None:
        found.add("entry 0", "is not the opening of a case")
    elif data is None or log.first.get("root_sha256") != roots.fingerprint(data):
        found.add(ROOT, "is not the root that entry 0 names")
    return found.check(
        "root",
        EXIT_SIGNATURE,
        "root.json is the root that entry 0 names",
        "the root is not what the case was opened under",
    )


def not_sealed_yet(check: Check) -> Check:
    """A check of a case whose making was interrupted before its first checkpoint."""
    detail = "the case was begun and never sealed; `muniment build` goes on from there"
    return Check(check.name, Status.NOT_CHECKED, detail, check.findings, check.found, EXIT_PARTLY)


def without_root(check: Check) -> Check:
    """A check that found nothing, but could not hold anything against the root."""
    if check.status is not Status.PASS:
        return check
    why = "root failed, and only the root says whose signatures these must be"
    return Check(check.name, Status.NOT_CHECKED, why)


def check_pin(data: bytes | None, pinned: str | None) -> Check:
    """root.json has the fingerprint the reader holds from elsewhere."""
    name = "root pinned"
    if pinned is None:
        return Check(
            name,
            Status.NOT_CHECKED,
            "no --root was given: the case agrees with itself, but whoever made it could have "
            "made all of it, keys included; get the root fingerprint from the owner another way",
        )
    actual = roots.fingerprint(data) if data is not None else "nothing"
    found = Findings()
    if actual != pinned.lower():
        found.add(ROOT, f"has fingerprint {actual}, not {pinned}")
    return found.check(
        name, EXIT_SIGNATURE, "root.json has the fingerprint given", "this is another root"
    )


def check_erasures(log: LogPass) -> Check:
    """Nothing is blank but what a sealed, signed erasure names; what it names and is still there
    is left to the next writing run and counts as not sealed to the end."""
    found = Findings()
    allowed: dict[tuple[int, str], set[str]] = {}
    for erasure in log.erasures:
        for index, leaf, fields in erasure.entries:
            allowed.setdefault((index, leaf), set()).update(fields)
    for index, (kind, leaf, gone) in log.blank.items():
        extra = gone if kind in NEVER_ERASED else gone - allowed.get((index, leaf), set())
        if extra:
            found.add(_private(index), f"no erasure names its missing {', '.join(sorted(extra))}")
    for (index, leaf), wanted in allowed.items():
        blanked = log.blank.get(index)
        left = wanted - (blanked[2] if blanked and blanked[1] == leaf else frozenset())
        if left:
            what = f"still holds {', '.join(sorted(left))}, logged as erased"
            log.tail.add(_private(index), what)
    passed = f"{count(len(log.erasures), 'erasure')} logged; nothing else is missing"
    return found.check(
        "erasures", EXIT_INTEGRITY, passed, "private values are gone unaccounted for"
    )


def _private(index: int) -> str:
    """An entry, and where its private line stands."""
    number, offset = divmod(index, SEGMENT_ENTRIES)
    return f"entry {index} ({PRIVATE}/{segment_file(number)} line {offset + 1})"


def check_tree(log: LogPass, head: Checkpoint | None) -> Check:
    """The sealed entries hash to the checkpoint's root."""
    found = Findings()
    if head is None:
        return Check("tree", Status.NOT_CHECKED, "there is no checkpoint to compare with")
    if head.size > log.frontier.size:
        held = count(log.frontier.size, "entry", "entries")
        found.add("log/entries", f"{held}; the checkpoint covers {head.size}")
    elif log.roots.get(head.size) != head.root:
        found.add("log/entries", f"the first {head.size} entries do not hash to the root signed")
    passed = f"the first {head.size} entries hash to the checkpoint's root"
    return found.check("tree", EXIT_INTEGRITY, passed, "the log is not the one that was sealed")


def check_checkpoint(
    log: LogPass,
    head: Checkpoint | None,
    problem: str,
    kept: list[tuple[str, Checkpoint | None, str]],
) -> tuple[Check, PublicKey | None]:
    """The latest checkpoint and the kept ones: who signed them, and over whose entries."""
    found = Findings()
    signer: PublicKey | None = None
    covers: dict[int, set[str]] = {}
    sound: list[tuple[str, Checkpoint, PublicKey]] = []
    for name, point, why in [*kept, (CHECKPOINT, head, problem)]:
        if point is None:
            found.add(name, why)
            continue
        signer, problems = checkpoints.problems(point, log.agents_below(point.size))
        if log.root and point.origin != checkpoints.origin_of(log.root.case):
            problems.append("is of another case")
        if name != CHECKPOINT:
            problems += _kept_problems(log, name, point, head)
        for what in problems:
            found.add(name, what)
        if signer:
            covers.setdefault(point.size, set()).add(signer.id)
        if signer and not problems:
            sound.append((name, point, signer))
    _check_covered(log, covers, found)
    _note_needless(log, sound)
    check = found.check(
        "checkpoint",
        EXIT_SIGNATURE,
        "signed by a certified agent, with every key that agent has",
        "a checkpoint is missing or not signed as it must be",
    )
    return check, signer if head else None


def _kept_problems(
    log: LogPass, name: str, point: Checkpoint, head: Checkpoint | None
) -> list[str]:
    problems = []
    if log.roots.get(point.size) != point.root or not name.endswith(f"{point.size:012d}"):
        problems.append("is not a head of this log")
    if head is None or point.size > head.size:
        problems.append("covers more than the latest checkpoint")
    return problems


def _note_needless(log: LogPass, sound: list[tuple[str, Checkpoint, PublicKey]]) -> None:
    """A kept checkpoint is there because another agent took over. One that no takeover left is
    somebody's copy, however well it is signed; a run cut short may leave one equal to the latest."""
    for (name, point, signer), (_, later, next_signer) in pairwise(sound):
        if later == point:
            log.tail.add(name, "is the latest: left by an interrupted takeover, or added")
        elif later.size > point.size and next_signer == signer:
            log.needless.add(name, "was not to be kept: the same agent signed the next checkpoint")


def _check_covered(log: LogPass, covers: dict[int, set[str]], found: Findings) -> None:
    """An agent's entries must lie under a checkpoint by that agent."""
    for first, last, author in log.runs:
        low = 0
        for size in sorted(covers):
            start, stop = max(first, low), min(last + 1, size)
            low = size
            if start < stop and author not in covers[size]:
                found.add(
                    f"entries {start} to {stop - 1}",
                    f"are by agent {author}, who signed no checkpoint over them",
                )


def check_since(log: LogPass, head: Checkpoint | None, pins: Pins) -> Check:
    """The log is a continuation of the checkpoint the reader holds from elsewhere."""
    name = "since"
    if pins.since is None:
        return Check(
            name,
            Status.NOT_CHECKED,
            "no --since was given: an older or wholly rewritten copy of this case would look the "
            "same; keep a checkpoint outside the owner's control and give it here",
        )
    size, root = pins.since
    found = Findings()
    if size > log.frontier.size:
        found.add(
            "log",
            f"rolled back: {count(log.frontier.size, 'entry', 'entries')}, the checkpoint given has"
            f" {size}",
        )
    elif log.roots.get(size) != root:
        found.add(
            "log", f"rewritten: its first {size} entries are not those of the checkpoint given"
        )
    elif head is not None and size > head.size:
        held = count(head.size, "entry", "entries")
        found.add(CHECKPOINT, f"rolled back: it covers {held}, the one given {size}")
    if pins.since_note is not None:
        signer, problems = checkpoints.problems(pins.since_note, log.agents_below(size))
        for what in problems if signer is None else ():
            found.add("the checkpoint given", what)
    passed = f"the log still begins with the {size} entries of the checkpoint given"
    return found.check(name, EXIT_INTEGRITY, passed, "the log is not a continuation of it")


def check_objects(log: LogPass, reader: Reader) -> tuple[Check, list[str], int]:
    """Every object's bytes are those of its name, and every object the log names is there."""
    found = Findings()
    seen: set[str] = set()
    extra: list[str] = []
    unread = Findings()
    sha256 = hashlib.sha256
    for digest, pieces in reader.objects():
        seen.add(digest)
        if isinstance(pieces, Unread):
            unread.add(object_name(digest), str(pieces))
            continue
        if isinstance(pieces, str):
            found.add(object_name(digest), pieces)
            continue
        state = sha256()
        try:
            for piece in pieces:
                state.update(piece)
        except InputError as error:
            unread.add(object_name(digest), error.what)
            continue
        actual = state.hexdigest()
        if actual != digest:
            label = log.references.get(digest) or log.tail_references.get(digest)
            label = label or "named by no entry"
            found.add(object_name(digest), f"its bytes hash to {actual} ({label})")
        elif digest not in log.references and digest not in log.tail_references:
            extra.append(object_name(digest))
    erased = log.erased_objects
    for digest, label in log.references.items():
        if digest not in seen and digest not in erased:
            found.add(object_name(digest), f"is missing ({label})")
    for digest, label in log.tail_references.items():
        if digest not in seen and digest not in log.references:
            log.tail.add(object_name(digest), f"is not there; only {label}, unsealed, names it")
    for digest in sorted(erased & seen):
        log.tail.add(object_name(digest), "is logged as erased but still there")
    passed = f"{count(len(seen), 'object')}, each with the bytes of its name, none missing"
    if unread.count and not found.count:
        remedy = "give yourself read permission, or copy the case from a sound disk"
        check = Check(
            "objects",
            Status.NOT_CHECKED,
            f"{count(unread.count, 'object')} could not be read: {remedy}",
            tuple(unread.kept),
            unread.count,
            EXIT_ERROR,
        )
        return check, extra, len(seen)
    for one in unread.kept:
        found.add(one.piece, one.what)
    check = found.check("objects", EXIT_INTEGRITY, passed, "objects are changed or missing")
    return check, extra, len(seen)


def check_files(log: LogPass, names: list[tuple[str, bool]]) -> Check:
    """Nothing lies beside the evidence that is no part of a case."""
    found = log.needless
    for name, is_regular in names:
        if name in (f"{CHECKPOINTS}/", f"{STAMPS}/"):
            log.tail.add(name, "is an empty folder: left by an interrupted run, or added")
            continue
        known = name in {ROOT, CHECKPOINT} or SEGMENT_NAME.fullmatch(name)
        if not (known or KEPT_CHECKPOINT_NAME.fullmatch(name) or STAMP_NAME.fullmatch(name)):
            found.add(name, "is no part of a case")
        elif not is_regular:
            found.add(name, "is not a regular file")
    return found.check(
        "files", EXIT_INTEGRITY, "nothing lies there that is no part of the case", "extra pieces"
    )


def check_tail(log: LogPass, sealed: int, extra_objects: list[str]) -> Check:
    """What no checkpoint covers: entries of an interrupted run, torn lines, unlogged objects."""
    found = log.tail
    if log.frontier.size > sealed:
        beyond = count(log.frontier.size - sealed, "entry", "entries")
        what = f"{beyond} beyond the checkpoint, signed by nobody"
        found.add(f"entries {sealed} to {log.frontier.size - 1}", what)
    for name in extra_objects:
        found.add(name, "no entry names it: left by an interrupted run, or added")
    if not found.count and not log.open_acquisitions:
        return Check("sealed to the end", Status.PASS, "nothing lies beyond the checkpoint")
    for leaf in sorted(log.open_acquisitions):
        found.add(f"acquisition:{leaf[:12]}", "was started and never finished")
    return Check(
        "sealed to the end",
        Status.NOT_CHECKED,
        "an interrupted run, or additions, that no checkpoint covers; the next `muniment build` "
        "moves them aside, goes on from there, or stops and says why",
        tuple(found.kept),
        found.count,
        EXIT_PARTLY,
    )
