"""The escapes as an ordinary user: every layer is in force for them too, and nothing gets through."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muniment.sandbox import kernel
from tests.escapes import ordinary
from tests.escapes.attempts import ATTEMPTS

#: Of those open to root, some 25 need a privilege (mounts, raw sockets, other users' memory).
LEAST_OPEN = 110

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; the other "
                       "escapes then run as an ordinary user anyway"),
    pytest.mark.skipif(not shutil.which("setpriv") or not shutil.which("unshare"),
                       reason="setpriv and unshare (util-linux) are not installed"),
]  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    """Both arms, once; below /tmp, since pytest's folders are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-ordinary-"))
    try:
        yield ordinary.run(folder)
    finally:
        shutil.rmtree(folder)


def test_nothing_gets_through(found: dict[str, Any]) -> None:
    assert found["user"] == [ordinary.USER] * 3
    assert found["control"].keys() == ATTEMPTS.keys()
    assert found["through"] == []


def test_enough_of_them_prove_something(found: dict[str, Any]) -> None:
    opened = [name for name, why in found["control"].items() if not why]
    assert len(opened) >= LEAST_OPEN, found["control"]
    kinds = {ATTEMPTS[name][0] for name in opened}
    wanted = {"network", "file", "process", "memory", "signal", "keyring", "limit", "shared memory"}
    assert wanted <= kinds


def test_every_layer_is_in_force(found: dict[str, Any]) -> None:
    layers = found["layers"]
    assert layers["seccomp"] and layers["no_new_privs"] and layers["rlimits"], layers
    assert layers["unprivileged"] and layers["unreadable"], layers
    if layers["landlock_abi"] == 0:
        pytest.skip(f"this kernel has no Landlock: {layers['reason']}")
    # Where users may not make namespaces, the user namespace itself is what is refused.
    if "user namespace" in layers["reason"]:
        pytest.skip(f"users may make no namespaces here: {layers['reason']}")
    assert set(layers["namespaces"]) == set(kernel.NAMESPACES), layers
    assert layers["empty_root"] and layers["reason"] == "", layers
