"""What the verifier concludes about time stamps: each judged under the authority pinned for it. Pure.

A stamp shows one thing: its checkpoint, and so every entry below it, existed before a time. It is judged
at its own time, so that the verdict is the same when certificates have expired. Another program's
judgement is asked through `CrossCheck`, which the caller hands in.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from muniment.custody import checkpoint as checkpoints
from muniment.custody.judged import (
    CrossCheck,
    Judged,
    StampPins,
    refuse_earlier,
    refuse_odd_time,
)
from muniment.custody.reader import Reader
from muniment.custody.verify_log import Findings, LogPass
from muniment.custody.verify_proofs import bitcoin_check, judge_proof
from muniment.errors import EXIT_SIGNATURE, MalformedError, SignatureError
from muniment.model.display import count
from muniment.model.stamps import OPTIONAL, PARTS, Method, Pinned, Stamp
from muniment.model.times import format_utc, parse_utc
from muniment.model.verify import Check, ShownStamp, Status
from muniment.store.layout import STAMP_NAME

NAME: Final = "time stamps"
CROSS_NAME: Final = "time stamps by openssl"
PINNED_NAME: Final = "authorities pinned"


def stamped_sizes(names: list[tuple[str, bool]]) -> set[int]:
    """Sizes of the checkpoints that files under log/stamps/ are about."""
    matches = (STAMP_NAME.fullmatch(name) for name, _ in names)
    return {int(match[1]) for match in matches if match}


def check_stamps(
    log: LogPass,
    reader: Reader,
    names: list[tuple[str, bool]],
    pins: StampPins,
    cross: CrossCheck | None,
    named: set[str],
) -> tuple[list[Check], tuple[ShownStamp, ...]]:
    """The checks over all time stamps, and each stamp as it was judged.

    Args:
        named: files under log/stamps/ that other entries name.
    """
    found = Findings()
    judged: list[Judged] = []
    for index, at, values in log.stamps:
        try:
            judged.append(_opened(log, reader, index, at, values, named))
        except (MalformedError, SignatureError) as error:
            found.add(error.subject or f"entry {index}", error.what)
    _note_unnamed(log, names, named)
    if not log.stamps:
        why = "none was made: only the machine's clock says when; see `muniment stamp add`"
        return [Check(NAME, Status.NOT_CHECKED, why)], ()
    tokens = [one for one in judged if one.stamp.method is Method.RFC3161]
    proofs = [one for one in judged if one.stamp.method is Method.OPENTIMESTAMPS]
    blocks = Findings()
    for one in tokens:
        _judge_token(log, one, found)
    for one in proofs:
        judge_proof(log, one, pins, blocks)
    _check_order(tokens, found)
    checks = [_token_check(tokens, found)]
    if tokens:
        checks.append(_cross_checked(tokens, cross))
    if proofs:
        checks.append(bitcoin_check(proofs, blocks))
    checks.append(_pinned_check(judged, pins))
    return checks, tuple(one.shown() for one in sorted(judged, key=lambda one: one.index))


def _opened(
    log: LogPass, reader: Reader, index: int, at: str, values: dict[str, Any], named: set[str]
) -> Judged:
    """A stamp with its files, bound to this log.

    Raises:
        MalformedError: naming the piece that is not what the entry says.
    """
    try:
        stamp = msgspec.convert(values, Stamp)
        place = log.authorities.get(stamp.authority)
        if place is None or place[0] > index:
            raise MalformedError("names no authority that was pinned before it")
        pinned = msgspec.convert(place[1], Pinned)
    except msgspec.ValidationError as error:
        raise MalformedError(f"is no stamp in its form ({error})") from error
    if stamp.method is not pinned.method:
        raise MalformedError("is by another method than its authority's")
    parts = PARTS[stamp.method]
    if not parts.keys() - OPTIONAL <= stamp.files.keys() <= parts.keys():
        raise MalformedError("does not name the files of its method")
    files: dict[str, bytes] = {}
    for part, one in stamp.files.items():
        if not STAMP_NAME.fullmatch(one.file) or not one.file.endswith(parts[part]):
            raise MalformedError(f"names a file that is no {part} of a stamp")
        named.add(one.file)
        data = reader.read(one.file)
        if data is None:
            raise MalformedError(f"is missing (entry {index} names it)", subject=one.file)
        if hashlib.sha256(data).hexdigest() != one.sha256:
            raise MalformedError(f"is not the file that entry {index} names", subject=one.file)
        files[part] = data
    head = checkpoints.parse(files["checkpoint"])
    if head.short() != stamp.checkpoint or head.size > index:
        raise MalformedError("names another checkpoint than the one kept", subject=f"entry {index}")
    _, problems = checkpoints.problems(head, log.agents_below(head.size))
    if log.roots.get(head.size) != head.root or (
        log.root and head.origin != checkpoints.origin_of(log.root.case)
    ):
        problems.append("is not a head of this log")
    if problems:
        raise MalformedError(problems[0], subject=stamp.files["checkpoint"].file)
    return Judged(index, at, stamp, pinned, head, files)


def _note_unnamed(log: LogPass, names: list[tuple[str, bool]], named: set[str]) -> None:
    for name, is_regular in names:
        if is_regular and STAMP_NAME.fullmatch(name) and name not in named:
            log.tail.add(name, "no entry names it: left by an interrupted run, or added")


def _judge_token(log: LogPass, one: Judged, found: Findings) -> None:
    # Loading these takes longer than verifying a small case.
    from muniment.custody import token as tokens

    try:
        if one.files["certificates"] != (one.pinned.pem or "").encode():
            raise SignatureError("its certificates are not those pinned for the authority")
        chain = tokens.read_chain(one.files["certificates"])
        token = tokens.judge(
            one.files["response"], one.files["checkpoint"], chain, crls=one.files.get("revocation")
        )
        refuse_odd_time(token.time, log.times.get(one.head.size, one.at), one.at)
        if one.stamp.time_utc != format_utc(token.time):
            raise SignatureError(f"says {format_utc(token.time)}, not what its entry says")
    except (SignatureError, MalformedError) as error:
        one.status, one.detail = Status.FAIL, error.what
        found.add(one.stamp.files["response"].file, f"{one.pinned.organisation}: {error.what}")
        return
    one.status, one.before = Status.PASS, token.before()
    one.detail = f"RFC 3161 token of {one.pinned.organisation}; {token.revocation}"


def _check_order(tokens: list[Judged], found: Findings) -> None:
    """A stamp over a checkpoint that covers an earlier stamp cannot be of an earlier time."""
    earlier: list[Judged] = []
    for one in sorted(tokens, key=lambda token: token.index):
        if one.before is None:
            continue
        for other in earlier:
            if other.index < one.head.size and other.stamp.time_utc:
                whose = f"entry {other.index} ({other.pinned.organisation})"
                try:
                    refuse_earlier(one.before, other.stamp.time_utc, whose)
                except SignatureError as error:
                    one.status, one.detail, one.before = Status.FAIL, error.what, None
                    what = f"{one.pinned.organisation}: {error.what}"
                    found.add(one.stamp.files["response"].file, what)
                    break
        earlier.append(one)


def _token_check(tokens: list[Judged], found: Findings) -> Check:
    good = [one for one in tokens if one.status is Status.PASS]
    if not found.count and not good:
        why = "no token yet: a Bitcoin proof alone was begun"
        return Check(NAME, Status.NOT_CHECKED, why)
    passed = ""
    if good:
        organisations = {one.pinned.organisation for one in good}
        latest = max(good, key=lambda one: (one.head.size, one.index))
        before = min(one.before for one in good if one.head.size == latest.head.size and one.before)
        passed = (
            f"{count(len(good), 'token')} of {count(len(organisations), 'organisation')}; the latest"
            f" show that the first {count(latest.head.size, 'entry', 'entries')} existed before"
            f" {format_utc(before)}"
        )
        if len(organisations) < 2:
            passed += "; it rests on one organisation alone, `muniment stamp add` names another"
    failed = "a time stamp is missing, changed or refused"
    return found.check(NAME, EXIT_SIGNATURE, passed, failed)


def _cross_checked(tokens: list[Judged], cross: CrossCheck | None) -> Check:
    version = cross.version() if cross else None
    if cross is None or version is None:
        why = (
            "openssl is not on this machine, so one program alone has judged the tokens; verify where"
            " it is installed"
        )
        return Check(CROSS_NAME, Status.NOT_CHECKED, why)
    found, judged = Findings(), 0
    for one in tokens:
        if one.before is None:
            continue  # refused already
        judged += 1
        moment = parse_utc(one.stamp.time_utc or "")
        pem = one.pinned.pem or ""
        why_not = cross.problem(one.files["response"], one.files["checkpoint"], pem, moment)
        if why_not:
            one.status, one.detail = Status.FAIL, f"openssl refuses it: {why_not}"
            what = f"{one.pinned.organisation}: {one.detail}; both programs must agree"
            found.add(one.stamp.files["response"].file, what)
    if not judged:
        return Check(CROSS_NAME, Status.NOT_CHECKED, "no token was left to judge")
    passed = f"{version} agrees on {count(judged, 'token')}, each judged at its own time"
    return found.check(CROSS_NAME, EXIT_SIGNATURE, passed, "the two programs do not agree")


def _pinned_check(judged: list[Judged], pins: StampPins) -> Check:
    from muniment.custody import token as tokens

    if not pins.authorities:
        why = (
            "no --authority was given: the authorities are those this case names, and whoever made the"
            " case could have made them too; get their certificates from the authorities themselves"
        )
        return Check(PINNED_NAME, Status.NOT_CHECKED, why)
    found, vouched = Findings(), 0
    for one in judged:
        if one.stamp.method is not Method.RFC3161 or one.status is not Status.PASS:
            continue
        chain = tokens.read_chain(one.files["certificates"])
        if pins.authorities & set(chain.fingerprints()):
            vouched += 1
        else:
            what = f"is by {one.pinned.organisation}, none of the authorities given"
            found.add(one.stamp.files["response"].file, what)
    if vouched and found.count:
        detail = (
            f"{count(vouched, 'token')} by the authorities given; leave the others out of account"
        )
        return Check(PINNED_NAME, Status.PASS, detail, tuple(found.kept), found.count)
    if not vouched and not found.count:
        return Check(PINNED_NAME, Status.NOT_CHECKED, "no token was left to compare")
    passed = f"{count(vouched, 'token')}, each by an authority given"
    return found.check(PINNED_NAME, EXIT_SIGNATURE, passed, "no token is by an authority given")
