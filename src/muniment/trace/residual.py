"""What moves in a clip, in the part that another clip shows too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import Box, resampled
from muniment.trace.clip import Clip

Floats = NDArray[np.float32]
#: samples a side of the shared part
SAMPLES: Final = 24
STEP_S: Final = 0.2
#: seconds each way whose mean is taken for what stands still, while alignment is sought
_REACH_S: Final = 2.0
#: mean difference of two pictures that is taken for a cut
_CUT_LEVELS: Final = 20.0


@dataclass(frozen=True)
class Shown:
    """The shared part of a clip's motion pictures: evenly spaced times, pictures n x 24 x 24."""

    times_s: NDArray[np.float64]
    pictures: Floats
    step_s: float


def shown(clip: Clip, inside: Box, part: Box, mirrored: bool) -> Shown:
    """`part` of what lies within the borders `inside` of each motion picture."""
    pictures = clip.motion
    left, top, right, bottom = inside
    if mirrored:
        pictures = pictures[..., ::-1]
        left, right = 1 - right, 1 - left
    wide, high = right - left, bottom - top
    box = (
        left + part[0] * wide,
        top + part[1] * high,
        left + part[2] * wide,
        top + part[3] * high,
    )
    seen = Shown(clip.motion_s, resampled(pictures, box, SAMPLES), STEP_S)
    if len(seen.times_s) < 2:
        return seen
    step = _step(clip.motion_s)
    grid = np.arange(clip.motion_s[0], clip.motion_s[-1] + step / 2, step)
    return Shown(grid, at(seen, grid), step)


def _step(times_s: NDArray[np.float64]) -> float:
    """The grid of a clip: 0.2 s, doubled as often as a long clip's pictures were thinned out."""
    mean = float(np.median(np.diff(times_s)))
    return STEP_S * 2.0 ** max(0, round(float(np.log2(max(mean, STEP_S) / STEP_S)) - 0.2))


def at(seen: Shown, times_s: NDArray[np.float64]) -> Floats:
    """Pictures at any times, between the nearest two in proportion."""
    upper = np.clip(np.searchsorted(seen.times_s, times_s), 1, len(seen.times_s) - 1)
    before, after = seen.times_s[upper - 1], seen.times_s[upper]
    share = np.clip((times_s - before) / np.maximum(after - before, 1e-6), 0.0, 1.0)
    weight = share.astype(np.float32)[:, None, None]
    return seen.pictures[upper - 1] * (1 - weight) + seen.pictures[upper] * weight


def unsteady(pictures: Floats, still: Floats) -> Floats:
    """Pictures (n x 24 x 24) less what a still scene shows under another light or a shaken camera.

    From each picture its best fit is taken by a constant, by `still`, and by what small shifts, a
    turn and a zoom of `still` add: a fade, a flicker or a sway of the camera leaves nothing, and
    two moments of one camera do not look alike because both sway. `still` is one, or one for each.
    """
    return less(pictures, basis(still))


def less(pictures: Floats, taken: Floats) -> Floats:
    """Pictures less their part along orthonormal ones (5 x m x 400, m is 1 or n): n x 400."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    if taken.shape[1] == 1:
        one = taken[:, 0]
        return np.asarray(flat - (flat @ one.T) @ one, dtype=np.float32)
    for each in taken:
        flat = flat - (flat * each).sum(axis=1, keepdims=True) * each
    return np.asarray(flat, dtype=np.float32)


def basis(still: Floats) -> Floats:
    """Orthonormal pictures (8 x m x 576) that light and a shaken camera add to `still`."""
    still = still.reshape(-1, SAMPLES, SAMPLES)
    down: Floats = np.asarray(np.gradient(still, axis=1))
    across: Floats = np.asarray(np.gradient(still, axis=2))
    place = np.linspace(-1.0, 1.0, SAMPLES, dtype=np.float32)
    x, y = place[None, None, :], place[None, :, None]
    turn, zoom = y * across - x * down, x * across + y * down
    bend_x, bend_y = np.asarray(np.gradient(across, axis=2)), np.asarray(np.gradient(down, axis=1))
    raw: list[Floats] = [still, across, down, zoom, turn, bend_x, bend_y]
    raw.append(np.asarray(np.gradient(across, axis=1)))
    done: list[Floats] = []
    for picture in raw:
        flat = picture.reshape(len(still), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        size = np.linalg.norm(flat, axis=1, keepdims=True)
        for earlier in done:
            flat = flat - (flat * earlier).sum(axis=1, keepdims=True) * earlier
        left = np.linalg.norm(flat, axis=1, keepdims=True)
        told = (left > 1e-3 * size) & (left > 1e-2)
        done.append(np.where(told, flat / np.maximum(left, 1e-6), 0.0).astype(np.float32))
    return np.stack(done)


def shots(pictures: Floats) -> list[Floats]:
    """Pictures split where they jump."""
    jumps = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2)) > _CUT_LEVELS
    return np.split(pictures, np.flatnonzero(jumps) + 1)


def passing(seen: Shown) -> Floats:
    """What differs from the mean of two seconds before and after in the same shot (n x 576)."""
    reach = max(1, round(_REACH_S / seen.step_s))
    means = [_running(shot.reshape(len(shot), -1), reach) for shot in shots(seen.pictures)]
    return unsteady(seen.pictures, np.concatenate(means))


def _running(flat: Floats, reach: int) -> Floats:
    """The mean of `reach` rows before and after each, as far as there are any."""
    count = len(flat)
    sums = np.concatenate((np.zeros((1, flat.shape[1])), np.cumsum(flat, 0, np.float64)))
    at = np.arange(count)
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, count)
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], dtype=np.float32)
