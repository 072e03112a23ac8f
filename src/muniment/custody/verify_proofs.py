"""What the verifier concludes about Bitcoin proofs: each by a header that a pin vouches for. Pure."""

from __future__ import annotations

from typing import Final

from muniment.custody.judged import Judged, StampPins, refuse_odd_time
from muniment.custody.verify_log import Findings, LogPass
from muniment.errors import EXIT_SIGNATURE, MalformedError, SignatureError
from muniment.model.display import count
from muniment.model.stamps import State
from muniment.model.times import format_utc
from muniment.model.verify import Check, Status

BITCOIN_NAME: Final = "Bitcoin stamps"


def judge_proof(log: LogPass, one: Judged, pins: StampPins, found: Findings) -> None:
    """Judge one proof; faults go to `found`."""
    from muniment.custody import bitcoin, ots

    name = one.stamp.files["proof"].file
    try:
        proof = ots.read_proof(one.files["proof"], one.files["checkpoint"])
        blocks = proof.blocks()
        if not blocks:
            uris = ", ".join(sorted({pending.uri for pending in proof.pending()})) or "nobody"
            one.detail = f"pending, proves nothing yet: {uris} owes the rest (`muniment stamp run`)"
            if one.stamp.state is not State.PENDING:
                raise MalformedError("its entry says more than the proof holds")
            return
        block = blocks[0]
        header, basis = _header(one, block.height, pins)
        if header is None:
            one.detail = f"block {block.height:,}: {basis}"
            return
        if bitcoin.merkle_root(header) != block.merkle_root:
            raise MalformedError(f"does not end in the merkle root of block {block.height:,}")
        moment = bitcoin.block_time(header)
        refuse_odd_time(moment, log.times.get(one.head.size, one.at), one.at)
    except (MalformedError, SignatureError) as error:
        one.status, one.detail = Status.FAIL, error.what
        found.add(name, f"{one.pinned.organisation}: {error.what}")
        return
    one.status, one.before = Status.PASS, moment + bitcoin.TIME_SLACK
    one.detail = f"Bitcoin block {block.height:,}, {basis}; a block's time is good to two hours"


def _header(one: Judged, height: int, pins: StampPins) -> tuple[bytes | None, str]:
    """The header of a block that a pin vouches for, and what it rests on; else None, and why.

    Raises:
        MalformedError: if a pin contradicts the headers kept.
    """
    from muniment.custody import bitcoin

    why = (
        "no header of it was kept or given (--bitcoin-headers FILE): nothing says what stands in it"
    )
    for data in (pins.headers, one.files.get("headers")):
        if data is None:
            continue
        try:
            run = bitcoin.read_run(data, pins.blocks)
        except MalformedError as error:
            why = f"the headers are refused: they {_third(error.what)}"
            if "pinned one" in error.what or "work" in error.what or "follow" in error.what:
                raise MalformedError(why) from error
            continue
        header = run.header(height)
        if header is not None:
            return header, run.basis(height)
        why = f"the headers end at {run.last:,} or lack the {bitcoin.MIN_ON_TOP} blocks on top"
    return None, why


def _third(what: str) -> str:
    """A clause about one thing, for several.

    Example:
        >>> _third("holds no pinned block")
        'hold no pinned block'
    """
    for singular, plural in (("holds ", "hold "), ("has ", "have "), ("reaches ", "reach ")):
        if what.startswith(singular):
            return plural + what[len(singular) :]
    return what


def bitcoin_check(proofs: list[Judged], found: Findings) -> Check:
    """The check over all proofs."""
    good = [one for one in proofs if one.status is Status.PASS and one.before]
    # A pending proof that was upgraded since is no longer owed.
    done = {one.stamp.checkpoint for one in proofs if one.stamp.state is State.UPGRADED}
    pending = [
        one
        for one in proofs
        if not good
        and one.status is Status.NOT_CHECKED
        and one.detail
        and not (one.stamp.state is State.PENDING and one.stamp.checkpoint in done)
    ]
    if not found.count and not good:
        return Check(BITCOIN_NAME, Status.NOT_CHECKED, pending[-1].detail)
    passed = ""
    if good:
        latest = max(good, key=lambda one: (one.head.size, one.index))
        covered = count(latest.head.size, "entry", "entries")
        before = format_utc(latest.before) if latest.before else ""
        passed = f"the first {covered} existed before {before}: {latest.detail}"
    return found.check(BITCOIN_NAME, EXIT_SIGNATURE, passed, "a Bitcoin proof is refused")
