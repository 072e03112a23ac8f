"""Being a witness for somebody else's case, by file: with a key of one's own, and a memory."""

from __future__ import annotations

import time

import msgspec

from muniment.case.signing import Secrets, person_key
from muniment.custody import cosignature
from muniment.custody.checkpoint import ED25519_TYPE
from muniment.custody.keyring import KeyFolder
from muniment.custody.keys import SigningKey
from muniment.custody.witness import Seen, consider
from muniment.errors import IntegrityError, UsageError
from muniment.store import disk


class _Memory(msgspec.Struct, frozen=True):
    """What is remembered of one log, in the key folder: its key, and what was cosigned last."""

    log: str
    seen: Seen


def witness_key(by: str, secrets: Secrets) -> tuple[SigningKey, str]:
    """The key a person cosigns with, made on first use, and the name they cosign under.

    Raises:
        KeyFileError: if the passphrase is wrong.
    """
    key = person_key(KeyFolder(), secrets, by, create=True)
    return key, f"muniment/witness/{key.public.id[:16]}"


def vkey(by: str, secrets: Secrets) -> str:
    """The verifier key to give to those whose cases one will witness."""
    key, name = witness_key(by, secrets)
    return cosignature.witness_vkey(name, key).encode()


def cosign(data: bytes, *, log_key: str | None, by: str, secrets: Secrets) -> bytes:
    """The cosigned checkpoint for a request.

    Args:
        log_key: the log's verifier key, got from its owner another way; needed the first time.
    Raises:
        MalformedError: if it is no request.
        UsageError: if the log is not known yet.
        SignatureError: if the checkpoint is not signed by that log.
        IntegrityError: if it was rolled back, or is another history than was cosigned before.
    """
    request = cosignature.read_request(data)
    keys = KeyFolder()
    key, name = witness_key(by, secrets)
    path = (
        keys.path / "witnessed" / f"{request.head.origin.rpartition('/')[2]}.{key.public.id[:16]}"
    )
    with keys.locked():
        memory: _Memory | None = None
        if path.exists():
            try:
                memory = msgspec.json.decode(path.read_bytes(), type=_Memory)
            except (msgspec.DecodeError, OSError) as error:
                raise IntegrityError(
                    "is not what a witness remembers",
                    subject=str(path),
                    remedy="Without it nothing can be cosigned: another witness must take over.",
                ) from error
        text = log_key or (memory.log if memory else None)
        if text is None:
            raise UsageError(
                "this log is not known yet",
                subject=request.head.origin,
                remedy="Give --log-key as its owner told you, not as it stands beside the request.",
            )
        log = cosignature.read_vkey(text, ED25519_TYPE)
        seen = consider(request, memory.seen if memory else None, log)
        # Durable before the line is handed out: else a crash could make this witness forget it.
        remembered = msgspec.json.encode(_Memory(log.encode(), seen)) + b"\n"
        disk.replace(path, remembered, temp_folder=path.parent, mode=0o600)
    line = cosignature.cosign(request.head, name, key, int(time.time()))
    note = msgspec.structs.replace(request.head, signatures=(*request.head.signatures, line))
    return note.encode()
