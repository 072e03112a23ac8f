"""A sample of the faults of `make faults`, quick enough for every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import __main__ as faults
from tests.faults import disks, kills, losses, others, tracing, world
from tests.faults.world import Score, World

needs_strace = pytest.mark.skipif(bool(tracing.missing()), reason=tracing.missing() or "-")
needs_mounts = pytest.mark.skipif(bool(disks.missing()), reason=disks.missing() or "-")
QUICK = faults.QUICK


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small workplace: 12 posts, 9 files."""
    path = tmp_path_factory.mktemp("faults")
    return world.make(path, world.SMALL)


def holds(*scores: Score) -> None:
    """Fail with every fault found."""
    assert all(score.tried or score.notes for score in scores), "nothing was tried"
    assert not any(score.faults for score in scores), "\n".join(map(str, scores))


def test_kill_at_random_moments(here: World) -> None:
    holds(kills.random_kills(here, 4))


@needs_strace
def test_kill_at_calls_of_a_new_case(here: World) -> None:
    holds(kills.at_every_call(here, kills.scenes(here)[0], 1))


@needs_strace
def test_kill_at_calls_of_an_erasure(here: World) -> None:
    holds(kills.at_every_call(here, kills.scenes(here)[3], 1))


@needs_strace
def test_power_loss(here: World) -> None:
    holds(*losses.losses(here, 12))


@needs_mounts
def test_full_disk(here: World) -> None:
    holds(disks.full_disks(here, 4))


@needs_strace
def test_a_failing_sync_stops_the_run(here: World) -> None:
    holds(*disks.failing_calls(here, kills.opened(here), 1, ("write", "fsync", "fdatasync")))


@needs_mounts
def test_read_only_disk(here: World) -> None:
    holds(disks.read_only(here))


def test_second_writer_is_refused(here: World) -> None:
    holds(others.second_writer(here))


def test_wrong_passphrase_changes_nothing(here: World) -> None:
    holds(others.wrong_passphrase(here))


def test_clock_set_back_is_recorded(here: World) -> None:
    score = others.clock_set_back(here)
    if not score.tried:
        pytest.skip(score.notes[0])
    holds(score)


@pytest.mark.slow
@pytest.mark.parametrize("name", faults.PARTS)
def test_a_sample_of_every_part(name: str, tmp_path: Path) -> None:
    part, missing = faults.PARTS[name]
    if missing():
        pytest.skip(missing())
    tmp_path.chmod(0o755)
    holds(*part(tmp_path, QUICK))
