"""Derived objects: what examiners made. Reading one is no viewing of an original and is not logged."""

from __future__ import annotations

import hashlib
import os
from typing import Final

from muniment.errors import IntegrityError
from muniment.store.layout import CaseFolder
from muniment.store.objects import open_object

#: No examiner may make a larger one (sandbox output limit).
MOST_BYTES: Final = 1 << 28


def read_derived(folder: CaseFolder, digest: str) -> bytes:
    """The bytes of an object that an observation made, checked against its digest.

    Raises:
        IntegrityError: if it is missing, too large or not what it was.
    """
    fd = open_object(folder, digest)
    with os.fdopen(fd, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES or hashlib.sha256(data).hexdigest() != digest:
        raise IntegrityError(
            "its bytes are not those it was stored with",
            subject=f"object {digest}",
            remedy="Run `muniment verify`; restore it from a second copy.",
        )
    return data
