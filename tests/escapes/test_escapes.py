"""Every way out that is open in a plain process is closed in a confined worker.

A way that is not open even in a plain process here (no such kernel interface, not root) is skipped
with the reason: it would prove nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Ended
from tests.escapes.arms import ENTRY, ROOT, confined_arm, control_arm, escaped, scene
from tests.escapes.attempts import ATTEMPTS

LEAST_OPEN = 62


@pytest.fixture(scope="module")
def arms() -> Iterator[tuple[dict[str, str], dict[str, Ended]]]:
    """Both arms, once."""
    with scene() as one:
        os.environ["MUNIMENT_PASSPHRASE"] = one.secret
        try:
            zygote = Zygote.start(ENTRY, paths=[str(ROOT)])
        finally:
            del os.environ["MUNIMENT_PASSPHRASE"]
        with zygote:
            confined = confined_arm(one, zygote, ATTEMPTS)
        yield control_arm(one), confined


@pytest.mark.parametrize("name", ATTEMPTS)
def test_closed(name: str, arms: tuple[dict[str, str], dict[str, Ended]]) -> None:
    control, confined = arms
    assert not escaped(confined[name]), confined[name]
    if control[name]:
        pytest.skip(f"not open here without a sandbox either: {control[name]}")


def test_enough_of_them_prove_something(arms: tuple[dict[str, str], dict[str, Ended]]) -> None:
    control, _ = arms
    opened = [name for name, why in control.items() if not why]
    if os.geteuid() == 0:
        assert len(opened) >= LEAST_OPEN, len(opened)
    kinds = {kind for name, (kind, _) in ATTEMPTS.items() if name in opened}
    wanted = {"network", "file", "process", "memory", "signal", "keyring", "ptrace", "limit"}
    assert wanted | {"shared memory", "kernel"} <= kinds


def test_limits_are_named(arms: tuple[dict[str, str], dict[str, Ended]]) -> None:
    _, confined = arms
    outcomes = {name: confined[name].outcome for name in confined if ATTEMPTS[name][0] == "limit"}
    assert outcomes["eat_processor_time"] == "cpu"
    assert outcomes["eat_time"] == "time"
    assert outcomes["flood_the_output"] == "output"
    assert outcomes["flood_past_the_emitter"] == "output"
    # On a busy machine the pages may cost more processor time than there is.
    assert outcomes["eat_memory"] in ("memory", "cpu")
    assert outcomes["eat_memory_at_once"] == "memory"


def test_most_are_stopped_by_the_filter(arms: tuple[dict[str, str], dict[str, Ended]]) -> None:
    _, confined = arms
    assert sum(one.signal == "SIGSYS" for one in confined.values()) > len(confined) / 2


def test_the_hunt_for_the_secret_did_look(
    arms: tuple[dict[str, str], dict[str, Ended]],
) -> None:
    _, confined = arms
    words = confined["find_a_secret"].payload.decode()
    if "[Errno" in words:
        pytest.skip(f"the zygote's map is not ours to read: {words}")
    assert int(words.split("LookupError: ")[1].split()[0]) >= 1
