"""The entry of the confined arm: does one attempt and tells when it got through."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from typing import Any

from tests.escapes.attempts import ATTEMPTS

OPEN, DENIED = b"OPEN", b"denied "


def preload() -> None:
    """Resolves a name once, so that what is imported in passing is there."""
    socket.getaddrinfo("127.0.0.1", 80)
    str(b"x", "idna")


def run(request: bytes, fd: int, emit: Callable[[bytes], None]) -> None:
    """The request: JSON with the name of the attempt and its world."""
    asked: dict[str, Any] = json.loads(request)
    if asked["name"] == "keep a secret":
        # Stays in this process only: a later worker looks for it.
        assert hashlib.sha256(asked["secret"].encode()).hexdigest()
        emit(DENIED)
        return
    _, function = ATTEMPTS[asked["name"]]
    try:
        function({**asked["world"], "emit": emit})
    except (OSError, LookupError, AssertionError, RuntimeError, ValueError) as error:
        emit(DENIED + f"{type(error).__name__}: {error}".encode()[:200])
    else:
        emit(OPEN)
