"""What a witness asks before it cosigns: the log's signature, and that nothing was taken back. Pure.

What it remembers of each log is one size and root, durable before the cosignature is handed out.
"""

from __future__ import annotations

import msgspec

from muniment.custody.cosignature import Request, VKey
from muniment.custody.tree import is_consistent
from muniment.errors import IntegrityError, SignatureError


class Seen(msgspec.Struct, frozen=True):
    """The last checkpoint of a log that a witness cosigned: size, and root in hex."""

    size: int
    root: str


def consider(request: Request, seen: Seen | None, log: VKey) -> Seen:
    """What the witness will remember when it cosigns.

    Args:
        log: the key it knows the log by.
    Raises:
        SignatureError: if the checkpoint is not signed by that log.
        IntegrityError: if the log was rolled back, or shows another history than it showed before.
    """
    head = request.head
    signed = any(
        line.name == log.name
        and line.key_id == log.key_id()
        and log.verify(line.signature, head.text())
        for line in head.signatures
    )
    if head.origin != log.name or not signed:
        raise SignatureError("is not signed by the log this witness knows", subject=head.origin)
    old = seen.size if seen else 0
    if head.size < old:
        raise IntegrityError(
            f"rolled back: this witness has cosigned {old} entries, and now there are {head.size}",
            subject=head.origin,
            remedy="Find the newer copy of the case, and out who holds an older one.",
        )
    if request.old != old:
        raise IntegrityError(
            f"continues another size: this witness cosigned {old} entries, the request says"
            f" {request.old}",
            subject=head.origin,
            remedy=f"Make the request anew with --old {old}.",
        )
    root = bytes.fromhex(seen.root) if seen else b""
    if not is_consistent(old, root, head.size, head.root, request.proof):
        raise IntegrityError(
            f"split view: its first {old} entries are not those this witness cosigned",
            subject=head.origin,
            remedy="Keep both requests: they show that two histories were signed.",
        )
    return Seen(head.size, head.root.hex())
