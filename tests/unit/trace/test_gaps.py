"""Clips whose time stamps jump by hours or years: no memory and no time for what is not there."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from muniment.model.trace import Verdict
from muniment.trace.clip import Clip
from muniment.trace.compare import compare
from muniment.trace.residual import MOST_MOMENTS, step_s
from tests.unit.trace.test_compare import filmed, scene


def torn(clip: Clip, at_s: float, by_s: float) -> Clip:
    """The clip with a jump in its time stamps."""
    times_s = np.where(clip.times_s >= at_s, clip.times_s + by_s, clip.times_s)
    motion_s = np.where(clip.motion_s >= at_s, clip.motion_s + by_s, clip.motion_s)
    return replace(
        clip, id="torn", times_s=times_s, motion_s=motion_s, duration_s=clip.duration_s + by_s
    )


@pytest.mark.parametrize("by_s", [3_600.0, 124_554.0, 1e9])
def test_a_jump_costs_neither_memory_nor_time(by_s: float) -> None:
    whole = filmed("whole", scene(1, 1), 12.0)
    broken = torn(filmed("part", scene(1, 1), 12.0), 9.0, by_s)
    started_s = time.process_time()
    tracemalloc.start()
    try:
        pair = compare(whole, broken)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pair.verdict in (Verdict.SAME_FOOTAGE, Verdict.UNDETERMINED), pair.reasons
    assert peak < 400_000_000
    assert time.process_time() - started_s < 60


def test_the_grid_of_moments_is_bounded() -> None:
    times_s = np.array([0.0, 0.2, 0.4, 1e9])
    assert (times_s[-1] - times_s[0]) / step_s(times_s) <= 2 * MOST_MOMENTS
    assert step_s(np.arange(0.0, 100.0, 0.2)) == 0.2
