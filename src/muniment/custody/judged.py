"""What both kinds of time stamp share when they are judged: a stamp bound to the log, the reader's pins,
the second program, and which times the log contradicts. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from muniment.custody.checkpoint import Checkpoint
from muniment.errors import SignatureError
from muniment.model.stamps import Pinned, Stamp
from muniment.model.times import format_utc, parse_utc
from muniment.model.verify import ShownStamp, Status

#: The clocks of two authorities may differ by so much.
ORDER_SLACK: Final = timedelta(minutes=5)
#: A token's time and the machine's clock may differ by so much; beyond it one of them is wrong.
CLOCK_SLACK: Final = timedelta(hours=24)


class CrossCheck(Protocol):
    """A second, independent verifier of RFC 3161 tokens."""

    def version(self) -> str | None:
        """Which program; None when there is none on this machine."""

    def problem(self, response: bytes, message: bytes, pem: str, moment: datetime) -> str | None:
        """Why it refuses a token over `message`, judged at `moment`; None when it holds.

        Args:
            pem: the pinned chain, the signing certificate first.
        """


class StampPins(msgspec.Struct, frozen=True):
    """What the reader holds from elsewhere.

    Attributes:
        authorities: SHA-256 (hex) of certificates of authorities the reader trusts.
        blocks: height -> hash of Bitcoin blocks, packaged or given.
        headers: a run of block headers the reader brings.
        witnessed: cosigned checkpoints the reader got elsewhere.
        witnesses: verifier keys of witnesses the reader trusts, besides those the case names.
    """

    authorities: frozenset[str] = frozenset()
    blocks: Mapping[int, bytes] = {}
    headers: bytes | None = None
    witnessed: tuple[bytes, ...] = ()
    witnesses: tuple[str, ...] = ()


class Judged(msgspec.Struct):
    """A stamp under judgement."""

    index: int
    at: str
    stamp: Stamp
    pinned: Pinned
    head: Checkpoint
    files: dict[str, bytes]
    status: Status = Status.NOT_CHECKED
    before: datetime | None = None
    detail: str = ""

    def shown(self) -> ShownStamp:
        """It as `verify` reports it."""
        before = format_utc(self.before) if self.before else None
        return ShownStamp(
            self.index,
            self.head.size,
            self.pinned.organisation,
            self.stamp.method,
            self.status,
            before,
            self.detail,
        )


def refuse_odd_time(moment: datetime, covered_at: str, recorded_at: str) -> None:
    """Refuse a time that the log contradicts.

    Args:
        covered_at: when the last entry it covers was written, by the machine's clock.
        recorded_at: when it was recorded, by the same clock.
    Raises:
        SignatureError: saying which.
    """
    if moment < parse_utc(covered_at) - CLOCK_SLACK:
        raise SignatureError(
            f"is back-dated, or a clock was wrong: it says {format_utc(moment)}, and the last entry it"
            f" covers was written {covered_at}"
        )
    if moment > parse_utc(recorded_at) + CLOCK_SLACK:
        raise SignatureError(
            f"is dated ahead, or a clock was wrong: it says {format_utc(moment)}, and it was recorded"
            f" {recorded_at}"
        )


def refuse_earlier(before: datetime, covered_utc: str, whose: str) -> None:
    """Refuse a time earlier than that of a stamp which the checkpoint covers: one of the two is wrong.

    Args:
        before: the end of the interval it proves.
        covered_utc: what the stamp covered states.
        whose: that stamp, in a message.
    Raises:
        SignatureError: saying so.
    """
    if parse_utc(covered_utc) > before + ORDER_SLACK:
        raise SignatureError(
            f"is back-dated, or the other is dated ahead: it says {format_utc(before)} and covers the"
            f" stamp of {whose}, which says {covered_utc}"
        )
