"""The confined processes of a run, started before any key is unlocked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from muniment.examine import registry
from muniment.sandbox.host import Zygote


@contextmanager
def confined(*, unconfined: bool = False) -> Iterator[Zygote]:
    """A zygote for the block.

    Args:
        unconfined: the user said that decoding may go on where the kernel cannot confine it.
    Raises:
        SandboxError: if it cannot be confined and the user did not say so.
    """
    zygote = Zygote.start(registry.ENTRY, confined=not unconfined)
    try:
        yield zygote
    finally:
        zygote.close()
