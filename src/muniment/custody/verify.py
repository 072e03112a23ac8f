"""The verifier: takes bytes through one reader, does no I/O, repairs nothing, names every difference.

The log is read once (verify_log); then the checkpoints, the objects and the extra pieces are judged
(verify_checks).
"""

from __future__ import annotations

from typing import Final

from muniment.custody import checkpoint as checkpoints
from muniment.custody import root as roots
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.judged import CrossCheck, StampPins
from muniment.custody.reader import Reader
from muniment.custody.root import Root
from muniment.custody.rules import OPENING_ENTRIES
from muniment.custody.verify_checks import (
    Pins,
    check_checkpoint,
    check_erasures,
    check_files,
    check_objects,
    check_pin,
    check_root,
    check_since,
    check_tail,
    check_tree,
    not_sealed_yet,
    without_root,
)
from muniment.custody.verify_log import LogPass, Observer, read_log
from muniment.custody.verify_stamps import check_stamps, stamped_sizes
from muniment.custody.verify_witnesses import check_witnesses, given_sizes
from muniment.errors import EXIT_INTEGRITY, EXIT_SIGNATURE, MalformedError
from muniment.model.display import count
from muniment.model.verify import Check, Verdict
from muniment.store.layout import CHECKPOINT, KEPT_CHECKPOINT_NAME, ROOT, SEGMENT_NAME

__all__ = ["Pins", "verify"]

MISSING: Final = "is missing"


def verify(
    reader: Reader,
    pins: Pins | None = None,
    observe: Observer | None = None,
    *,
    stamp_pins: StampPins | None = None,
    cross: CrossCheck | None = None,
) -> Verdict:
    """Check everything outside work/ and report/ against the log and its checkpoint.

    Args:
        reader: hands out the bytes.
        pins: root fingerprint and earlier checkpoint held elsewhere; without them those two
            checks say *not checked*.
        observe: sees each whole entry once, e.g. to rebuild the projection in the same pass.
        stamp_pins: authorities and Bitcoin blocks the reader trusts.
        cross: a second program that judges time stamps; without it that check says *not checked*.
    Raises:
        InputError: if a file is there and cannot be read.
    """
    pins, stamp_pins = pins or Pins(), stamp_pins or StampPins()
    names = list(reader.names())
    root_bytes, root, root_problem = _read_root(reader)
    head, head_problem = _read_checkpoint(reader, CHECKPOINT)
    kept = _kept_checkpoints(reader, names)
    sealed = head.size if head else 0
    wanted = {sealed, *(point.size for _, point, _ in kept if point), *stamped_sizes(names)}
    wanted |= given_sizes(stamp_pins) | ({pins.since[0]} if pins.since else set())
    log = _read(reader, names, (root, root_bytes), sealed, wanted, observe)
    head_check, signer = check_checkpoint(log, head, head_problem, kept)
    root_check = check_root(log, root_bytes, root_problem)
    line_checks = _line_checks(log)
    if log.root is None:
        line_checks = (line_checks[0], without_root(line_checks[1]), line_checks[2])
        head_check = without_root(head_check)
    if root is not None and head_problem == MISSING and not kept:
        root_check, head_check = _begun(log, root_check, head_check)
    witness_checks, named = check_witnesses(log, reader, stamp_pins)
    stamp_checks, stamps = check_stamps(log, reader, names, stamp_pins, cross, named)
    object_check, extra_objects, object_count = check_objects(log, reader)
    checks = (
        root_check,
        check_pin(root_bytes, pins.root_sha256),
        *line_checks,
        check_erasures(log),
        check_tree(log, head),
        head_check,
        check_since(log, head, pins),
        *stamp_checks,
        *witness_checks,
        object_check,
        check_files(log, names),
        check_tail(log, sealed, extra_objects),
    )
    signed = f"checkpoint signed by agent key {signer.id} ({signer.name})" if signer else ""
    return Verdict(
        root.case if root else None,
        log.root_sha256,
        head.short() if head else None,
        log.frontier.size,
        object_count,
        checks,
        (*log.notes, signed) if signed else tuple(log.notes),
        stamps=stamps,
    )


def _begun(log: LogPass, root_check: Check, head_check: Check) -> tuple[Check, Check]:
    """Both checks where there is no checkpoint at all: the case may never have been sealed."""
    if log.frontier.size > OPENING_ENTRIES:
        return root_check, head_check
    return (
        root_check if log.frontier.size else not_sealed_yet(root_check),
        not_sealed_yet(head_check),
    )


def _read(
    reader: Reader,
    names: list[tuple[str, bool]],
    root: tuple[Root | None, bytes | None],
    sealed: int,
    wanted: set[int],
    observe: Observer | None,
) -> LogPass:
    log = LogPass(root[0], observe)
    log.root_sha256 = roots.fingerprint(root[1]) if root[1] is not None else None
    segments = [name for name, _ in names if SEGMENT_NAME.fullmatch(name)]
    read_log(log, reader, segments, sealed, wanted)
    return log


def _line_checks(log: LogPass) -> tuple[Check, Check, Check]:
    """What the pass itself found: entries, signatures, private values."""
    return (
        log.form.check(
            "entries",
            EXIT_INTEGRITY,
            f"{count(log.frontier.size, 'entry', 'entries')}, each in its one form and following its"
            " author's last",
            "entries are changed, missing, extra or out of order",
        ),
        log.signatures.check(
            "signatures",
            EXIT_SIGNATURE,
            "every person's entry is signed; every author may write what it wrote",
            "entries are not signed by whom they should be",
        ),
        log.private.check(
            "private values",
            EXIT_INTEGRITY,
            "every private value is the one its entry commits to",
            "private values are changed or missing",
        ),
    )


def _read_root(reader: Reader) -> tuple[bytes | None, Root | None, str]:
    data = reader.read(ROOT)
    if data is None:
        return None, None, MISSING
    try:
        return data, roots.parse(data), ""
    except MalformedError as error:
        return data, None, error.what


def _read_checkpoint(reader: Reader, name: str) -> tuple[Checkpoint | None, str]:
    data = reader.read(name)
    if data is None:
        return None, MISSING
    try:
        return checkpoints.parse(data), ""
    except MalformedError as error:
        return None, error.what


def _kept_checkpoints(
    reader: Reader, names: list[tuple[str, bool]]
) -> list[tuple[str, Checkpoint | None, str]]:
    """(name, checkpoint or None, problem) of the last checkpoints of earlier agents, by size."""
    found = [name for name, _ in names if KEPT_CHECKPOINT_NAME.fullmatch(name)]
    return [(name, *_read_checkpoint(reader, name)) for name in sorted(found)]
