"""What moves in a clip, in the part that another clip shows too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import Box, resampled
from muniment.trace.clip import Clip

Floats = NDArray[np.float32]
#: samples a side of the shared part
SAMPLES: Final = 24
STEP_S: Final = 0.2
#: moments of a clip's grid, at most about so many: time stamps may jump by days
MOST_MOMENTS: Final = 1 << 17
#: seconds each way whose mean is taken for what stands still, while alignment is sought
_REACH_S: Final = 2.0
#: mean difference of two pictures that is taken for a cut
_CUT_LEVELS: Final = 20.0
#: pictures of which the median is taken: so many or up to twice as many
_MEDIAN_OF: Final = 32
#: pictures whose fits are made at once
_AT_ONCE: Final = 256
#: what is added to the squared length of each fitted picture, so that empty ones take nothing
_RIDGE: Final = 1e-5
_PLACE: Final = np.linspace(-1.0, 1.0, SAMPLES, dtype=np.float32)
_MEAN: Final = np.full(SAMPLES * SAMPLES, 1 / (SAMPLES * SAMPLES), np.float32)
_X: Final = _PLACE[None, None, :]
_Y: Final = _PLACE[None, :, None]


@dataclass(frozen=True)
class Shown:
    """The shared part of a clip's motion pictures: evenly spaced times, pictures n x 24 x 24."""

    times_s: NDArray[np.float64]
    pictures: Floats
    step_s: float

    @cached_property
    def passing(self) -> Floats:
        """What differs from the mean of two seconds before and after in the same shot (n x 576)."""
        reach = max(1, round(_REACH_S / self.step_s))
        means = [_running(shot.reshape(len(shot), -1), reach) for shot in shots(self.pictures)]
        return _each_less(self.pictures, np.concatenate(means))


def shown(
    clip: Clip,
    inside: Box,
    part: Box,
    mirrored: bool,
    step: float,
    stretch_s: tuple[float, float],
) -> Shown:
    """`part` of what lies within the borders `inside`, every `step` seconds of a stretch."""
    first, end = np.searchsorted(clip.motion_s, stretch_s).tolist()
    times_s, pictures = clip.motion_s[first:end], clip.motion_at(slice(first, end))
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
    seen = Shown(times_s, resampled(pictures, box, SAMPLES), step)
    if len(times_s) < 2:
        return seen
    grid = np.arange(times_s[0], times_s[-1] + step / 2, step)
    return Shown(grid, at(seen, grid), step)


def step_s(times_s: NDArray[np.float64]) -> float:
    """Seconds between moments of a clip's grid: 0.2, doubled as often as it was thinned out.

    More where time stamps jump so far that the grid would not end.
    """
    if len(times_s) < 2:
        return STEP_S
    mean = float(max(np.median(np.diff(times_s)), (times_s[-1] - times_s[0]) / MOST_MOMENTS))
    return STEP_S * 2.0 ** max(0, round(float(np.log2(max(mean, STEP_S) / STEP_S)) - 0.2))


def at(seen: Shown, times_s: NDArray[np.float64]) -> Floats:
    """Pictures at any times, between the nearest two in proportion."""
    upper = np.clip(np.searchsorted(seen.times_s, times_s), 1, len(seen.times_s) - 1)
    before, after = seen.times_s[upper - 1], seen.times_s[upper]
    share = np.clip((times_s - before) / np.maximum(after - before, 1e-6), 0.0, 1.0)
    weight = share.astype(np.float32)[:, None, None]
    low = seen.pictures[upper - 1]
    return np.asarray(low + (seen.pictures[upper] - low) * weight, dtype=np.float32)


def unsteady(pictures: Floats, still: Floats) -> Floats:
    """Pictures (n x 24 x 24) less what a still scene shows under another light or a shaken camera.

    From each picture its best fit is taken by a constant, by `still`, and by what small shifts, a
    turn and a zoom of `still` add: a fade, a flicker or a sway of the camera leaves nothing, and
    two moments of one camera do not look alike because both sway.
    """
    return less(pictures, basis(still))


def less(pictures: Floats, taken: Floats) -> Floats:
    """Pictures less their mean and their part along orthonormal ones (8 x 576): n x 576."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - (flat @ _MEAN)[:, None]
    flat -= (flat @ taken.T) @ taken
    return flat


def basis(still: Floats) -> Floats:
    """Orthonormal pictures (8 x 576) that light and a shaken camera add to `still`."""
    raw = _added(still.reshape(1, SAMPLES, SAMPLES))[0]
    done, left = np.linalg.qr(raw.T)
    sizes = np.sqrt((raw * raw).sum(axis=1))
    told = np.abs(np.diagonal(left)) > np.maximum(1e-3 * sizes, 1e-2)
    return np.asarray(done.T * told[:, None], dtype=np.float32)


def _added(still: Floats) -> Floats:
    """What light and a shaken camera add to m still pictures, without means: m x 8 x 576."""
    down, across = _slope(still, 1), _slope(still, 2)
    turn, zoom = _Y * across - _X * down, _X * across + _Y * down
    bent = _slope(across, 2), _slope(down, 1), _slope(across, 1)
    raw = np.stack((still, across, down, zoom, turn, *bent), axis=1)
    raw = raw.reshape(len(still), raw.shape[1], -1)
    raw -= (raw @ _MEAN)[..., None]
    return raw


def _slope(pictures: Floats, axis: int) -> Floats:
    """Half the difference of both neighbours; of the only one at the edge the whole."""
    turned = pictures.swapaxes(axis, 2)
    out = np.empty_like(turned)
    out[..., 1:-1] = (turned[..., 2:] - turned[..., :-2]) * np.float32(0.5)
    out[..., 0] = turned[..., 1] - turned[..., 0]
    out[..., -1] = turned[..., -1] - turned[..., -2]
    return out.swapaxes(axis, 2)


def _each_less(pictures: Floats, stills: Floats) -> Floats:
    """As `unsteady`, with a still picture for each picture (least squares, all at once)."""
    out = np.empty((len(pictures), SAMPLES * SAMPLES), np.float32)
    for begin in range(0, len(pictures), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        raw = _added(stills[part].reshape(-1, SAMPLES, SAMPLES))
        raw /= np.maximum(np.linalg.norm(raw, axis=2, keepdims=True), 1e-2)
        flat = pictures[part].reshape(len(raw), -1)
        flat = flat - (flat @ _MEAN)[:, None]
        gram = (raw @ raw.transpose(0, 2, 1)).astype(np.float64) + _RIDGE * np.eye(raw.shape[1])
        share = np.linalg.solve(gram, (raw @ flat[:, :, None]).astype(np.float64))
        out[part] = flat - (share.transpose(0, 2, 1).astype(np.float32) @ raw)[:, 0]
    return out


def shots(pictures: Floats) -> list[Floats]:
    """Pictures split where they jump."""
    jumps = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2)) > _CUT_LEVELS
    return np.split(pictures, np.flatnonzero(jumps) + 1)


def _running(flat: Floats, reach: int) -> Floats:
    """The mean of `reach` rows before and after each, as far as there are any."""
    count = len(flat)
    sums = np.concatenate((np.zeros((1, flat.shape[1])), np.cumsum(flat, 0, np.float64)))
    at = np.arange(count)
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, count)
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], dtype=np.float32)


def moving(pictures: Floats) -> Floats:
    """What is left of pictures (n x 24 x 24) without their median over time (n x 576)."""
    return unsteady(pictures, still(pictures))


def still(pictures: Floats) -> Floats:
    """What stands still in pictures (n x 24 x 24): their median, of many that of some."""
    some = pictures[:: max(1, len(pictures) // _MEDIAN_OF)]
    columns = np.sort(some.reshape(len(some), -1).T.copy(), axis=1)
    half = len(some) // 2
    middle = (columns[:, half] + columns[:, -1 - half]) / 2
    return np.asarray(middle, np.float32).reshape(SAMPLES, SAMPLES)
