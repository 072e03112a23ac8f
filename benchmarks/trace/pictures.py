"""What reposting does to the pictures of a clip. Each change takes a picture and its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Chance = np.random.Generator
#: a picture and its time in the part that is copied, in seconds
Change = Callable[[Image, float], Image]
#: pictures a second of all sources
FPS: Final = 15
#: two channels; copies of different sources share what they lay over the picture
_CHANNELS: Final = (
    (
        "SEEN TODAY NEAR THE YARD",
        "MORE ON THIS AT NINE   +++   ROADS OPEN AGAIN   +++",
        (230, 60, 40),
    ),
    ("VIDEO: A READER SENT THIS", "WEATHER: DRY, LIGHT WIND   +++   TRAINS ON TIME", (40, 90, 220)),
)


def _as_is(picture: Image, at_s: float) -> Image:
    return picture


def _cropped(share: float, chance: Chance) -> Change:
    x, y = chance.uniform(0, share, 2)

    def crop(picture: Image, at_s: float) -> Image:
        h, w = picture.shape[:2]
        left, top = int(x * w), int(y * h)
        part = picture[top : top + int(h * (1 - share)), left : left + int(w * (1 - share))]
        return np.asarray(cv2.resize(part, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)

    return crop


def _letterbox(picture: Image, at_s: float) -> Image:
    bar = int(picture.shape[0] * 0.17)
    return np.asarray(cv2.copyMakeBorder(picture, bar, bar, 0, 0, cv2.BORDER_CONSTANT), np.uint8)


def _pillars(picture: Image, at_s: float) -> Image:
    h, w = picture.shape[:2]
    wide, high = (w, int(w * 16 / 9)) if w >= h else (int(h * 16 / 9), h)
    base = cv2.GaussianBlur(cv2.resize(picture, (wide, high)), (0, 0), wide / 30)
    top, left = (high - h) // 2, (wide - w) // 2
    base[top : top + h, left : left + w] = picture
    scale = 480 / max(wide, high)
    size = (int(wide * scale) // 2 * 2, int(high * scale) // 2 * 2)
    return np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), np.uint8)


def _captioned(chance: Chance) -> Change:
    """A dark caption band, a round logo, and a ticker that runs along the lower edge."""
    caption, ticker, colour = _CHANNELS[int(chance.integers(0, len(_CHANNELS)))]
    side = float(chance.choice([0.08, 0.92]))

    def lay(picture: Image, at_s: float) -> Image:
        out = picture.copy()
        h, w = out.shape[:2]
        band = out[int(0.78 * h) : int(0.89 * h), int(0.04 * w) : int(0.96 * w)]
        band[:] = (band * 0.2).astype(np.uint8)
        white, text = (255, 255, 255), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(out, caption, (int(0.06 * w), int(0.865 * h)), text, w / 700, white, 2)
        cv2.circle(out, (int(side * w), int(0.1 * h)), int(0.06 * w), colour, -1)
        out[int(0.92 * h) :] = (20, 20, 90)
        left = int(w * (0.3 - 0.12 * at_s))
        cv2.putText(out, ticker, (left, int(0.985 * h)), text, w / 900, white, 1)
        return out

    return lay


def _bright(picture: Image, at_s: float) -> Image:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=1.2, beta=25), np.uint8)


def _contrast(picture: Image, at_s: float) -> Image:
    flat = np.clip((np.arange(256) - 128) * 0.65 + 110, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, flat), np.uint8)


def _grey(picture: Image, at_s: float) -> Image:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def _mirror(picture: Image, at_s: float) -> Image:
    return np.ascontiguousarray(picture[:, ::-1])


def _turned(picture: Image, at_s: float) -> Image:
    return np.ascontiguousarray(np.rot90(picture))


def small(picture: Image, at_s: float = 0.0) -> Image:
    """Half of the width and of the height, as 360 lines of 720."""
    h, w = picture.shape[:2]
    size = (w // 4 * 2, h // 4 * 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _filmed(chance: Chance) -> Change:
    """A screen filmed by hand: perspective that sways, a dark desk, moiré of two grids, a rolling
    band, a cast of colour, soft focus."""
    shift, phase = chance.uniform(0.01, 0.06, (4, 2)), chance.uniform(0, 6.3, 4)
    grid = chance.uniform(0.55, 1.1, 2) * (1, 0.3)
    cast = chance.uniform(0.92, 1.08, 3)
    outer = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)

    def film(picture: Image, at_s: float) -> Image:
        h, w = picture.shape[:2]
        sway = 0.004 * np.sin(np.array([1.7, 1.1]) * at_s + phase[:2])
        to = ((outer + inward * shift + sway) * [w, h]).astype(np.float32)
        matrix = cv2.getPerspectiveTransform((outer * [w, h]).astype(np.float32), to)
        out = cv2.warpPerspective(picture, matrix, (w, h), borderValue=(38, 34, 30))
        out = cv2.GaussianBlur(out, (0, 0), 0.8)
        down, across = np.mgrid[:h, :w].astype(np.float32)
        waves = np.sin(grid[0] * across + grid[1] * down + 3 * at_s + phase[2])
        waves *= np.sin((grid[0] + 0.06) * across + (grid[1] + 0.09) * down)
        band = np.sin(2 * np.pi * (down / h - 0.4 * at_s) + phase[3])
        gain = (1 + 0.09 * waves + 0.05 * band)[..., None] * cast
        return np.asarray(np.clip(out * gain, 0, 255), np.uint8)

    return film


def _inset(other: Sequence[Image], chance: Chance, share: float, under: bool) -> Change:
    """Another clip's picture in a corner of this one; or, `under`, this one in a corner of it."""
    right, low = chance.integers(0, 2, 2)

    def lay(picture: Image, at_s: float) -> Image:
        h, w = picture.shape[:2]
        filling = cv2.resize(other[int(at_s * FPS) % len(other)], (w, h))
        base, top = (filling, picture) if under else (picture.copy(), filling)
        wide, high, edge = int(w * share), int(h * share), int(0.03 * w)
        left = w - wide - edge if right else edge
        upper = h - high - edge if low else edge
        lid = cv2.resize(top, (wide, high), interpolation=cv2.INTER_AREA)
        base[upper : upper + high, left : left + wide] = lid
        return np.asarray(base, np.uint8)

    return lay


def _after(*changes: Change) -> Change:
    def every(picture: Image, at_s: float) -> Image:
        for change in changes:
            picture = change(picture, at_s)
        return picture

    return every


def changed(transform: str, chance: Chance, other: Sequence[Image] = ()) -> Change:
    """What a transform does to each picture; nothing where it only changes times or sound."""
    crop = _cropped(0.1, chance)
    laid = _captioned(chance)
    changes: dict[str, Change] = {
        "small": small,
        "crop10": crop,
        "crop30": _cropped(0.3, chance),
        "letterbox": _letterbox,
        "pillars": _pillars,
        "caption": laid,
        "mirror": _mirror,
        "bright": _bright,
        "contrast": _contrast,
        "grey": _grey,
        "filmed": _filmed(chance),
        "rotate90": _turned,
        "pip": _inset(other, chance, float(chance.uniform(0.5, 0.65)), under=True),
        "covered": _inset(other, chance, float(chance.uniform(0.28, 0.36)), under=False),
        "combo": _after(crop, _mirror, laid),
        "combo2": _after(crop, _bright, _letterbox),
        "combo3": _after(_filmed(chance), _pillars),
    }
    return changes.get(transform, _as_is)
