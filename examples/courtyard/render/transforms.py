"""What reposting does to a clip, each with its exact 3x3 matrix.

A matrix maps a pixel (x, y, 1) of the first publication to the pixel of the copy; whole numbers
are pixel centres. Overlays (caption, logo, player) lie over the moved picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Overlay = Callable[[Image, float], None]


def scaling(from_size: tuple[float, float], to_size: tuple[float, float]) -> Matrix:
    """Resize, (width, height) each, keeping pixel edges on pixel edges."""
    sx, sy = to_size[0] / from_size[0], to_size[1] / from_size[1]
    return np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1.0]])


def shift(dx: float, dy: float) -> Matrix:
    """Move by pixels."""
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def crop(box: tuple[int, int, int, int], size: tuple[int, int]) -> Matrix:
    """Cut ``box`` = (x, y, width, height) and enlarge it to ``size``."""
    return scaling((box[2], box[3]), size) @ shift(-box[0], -box[1])


def mirror(width: int) -> Matrix:
    """Swap left and right."""
    return np.array([[-1, 0, width - 1.0], [0, 1, 0], [0, 0, 1.0]])


def quad(size: tuple[int, int], corners: NDArray[np.float64]) -> Matrix:
    """Perspective that takes a picture's outer corners (clockwise from top left) to ``corners``."""
    w, h = size
    outer = np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]])
    found = cv2.getPerspectiveTransform(outer.astype(np.float32), corners.astype(np.float32))
    return np.asarray(found, dtype=float)


@dataclass(frozen=True)
class Look:
    """How a copy's picture is made from a source picture.

    Attributes:
        matrix: source pixels to copy pixels.
        size: width and height of the copy.
        background: picture on which the source is laid; black when None.
        overlay: drawn last, with the copy's time in seconds.
        blur_px, grain, gain: what a filmed screen adds (0, 0, 1 for none).
    """

    matrix: Matrix
    size: tuple[int, int]
    background: Image | None = None
    overlay: Overlay | None = None
    blur_px: float = 0.0
    grain: float = 0.0
    gain: float = 1.0

    def apply(self, picture: Image, t_s: float, seed: int = 0) -> Image:
        """One copied picture."""
        w, h = self.size
        shrink = np.sqrt(abs(np.linalg.det(self.matrix[:2, :2])))
        source = picture
        if shrink < 0.9:
            source = np.asarray(
                cv2.GaussianBlur(picture, (0, 0), 0.45 * (1 / shrink - 0.6)), dtype=np.uint8
            )
        moved = cv2.warpPerspective(source, self.matrix, (w, h), flags=cv2.INTER_LINEAR)
        cover = np.full(picture.shape[:2], 255, np.uint8)
        mask = cv2.warpPerspective(cover, self.matrix, (w, h), flags=cv2.INTER_LINEAR)
        if shrink >= 1.0:
            mask[mask > 0] = 255
        base = np.zeros((h, w, 3), np.uint8) if self.background is None else self.background
        share = mask[..., None].astype(np.float32) / 255
        out = moved * share * self.gain + base * (1 - share)
        if self.blur_px > 0:
            out = np.asarray(cv2.GaussianBlur(out, (0, 0), self.blur_px))
        if self.grain > 0:
            dots = np.random.default_rng([seed, round(t_s * 1000)]).normal(0, self.grain, (h, w, 1))
            out = out + dots
        done = np.clip(out + 0.5, 0, 255).astype(np.uint8)
        if self.overlay is not None:
            self.overlay(done, t_s)
        return done


def write_text(
    picture: Image,
    text: str,
    at: tuple[int, int],
    size: float,
    colour: tuple[int, int, int] = (255, 255, 255),
    weight: int = 1,
) -> None:
    """Put text on a picture with OpenCV's own stroke font (no font file needed)."""
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, weight, cv2.LINE_AA)


def caption_and_logo(picture: Image, t_s: float) -> None:
    """A caption band below and a round logo top right."""
    h, w = picture.shape[:2]
    band = picture[h - 56 : h - 12, 24 : w - 24]
    band[:] = (band * 0.25).astype(np.uint8)
    write_text(picture, "LINDVARA: crates leave the rope store yard", (38, h - 28), 0.66, weight=2)
    cv2.circle(picture, (w - 46, 42), 28, (240, 240, 240), -1, cv2.LINE_AA)
    cv2.circle(picture, (w - 46, 42), 22, (24, 92, 150), -1, cv2.LINE_AA)
    write_text(picture, "CNW", (w - 66, 48), 0.5, weight=2)


def player_background(size: tuple[int, int]) -> Image:
    """A phone's player without the picture: dark, with a grey header."""
    w, h = size
    base = np.full((h, w, 3), 18, np.uint8)
    base[:34] = (42, 46, 54)
    write_text(base, "<  Lindvara Yard Watch", (14, 23), 0.5)
    write_text(base, "10:58", (w - 64, 23), 0.45, (200, 200, 200))
    return base


def player_overlay(duration_s: float) -> Overlay:
    """A progress bar and the running time of the player."""

    def draw(picture: Image, t_s: float) -> None:
        h, w = picture.shape[:2]
        share = float(np.clip(t_s / duration_s, 0, 1))
        cv2.line(picture, (70, h - 18), (w - 70, h - 18), (90, 90, 90), 3, cv2.LINE_AA)
        end = int(70 + (w - 140) * share)
        cv2.line(picture, (70, h - 18), (end, h - 18), (70, 160, 230), 3, cv2.LINE_AA)
        cv2.circle(picture, (end, h - 18), 6, (230, 230, 230), -1, cv2.LINE_AA)
        write_text(picture, f"0:{int(t_s):02d}", (18, h - 13), 0.42, (210, 210, 210))
        cv2.circle(picture, (w - 28, h - 18), 8, (210, 60, 50), -1, cv2.LINE_AA)

    return draw


def desk_background(size: tuple[int, int], corners: NDArray[np.float64]) -> Image:
    """A screen's dark frame on a desk, around ``corners``."""
    w, h = size
    rows = np.linspace(0, 1, h)[:, None]
    desk = np.zeros((h, w, 3), np.float64)
    desk[:] = np.array([96, 84, 70]) * (0.6 + 0.5 * rows[..., None])
    desk[: h // 4] = np.array([120, 126, 130])
    base = desk.astype(np.uint8)
    middle = corners.mean(axis=0)
    frame = middle + (corners - middle) * 1.07
    cv2.fillConvexPoly(base, np.round(frame).astype(np.int32), (22, 22, 24), cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(base, (0, 0), 1.2), dtype=np.uint8)


def screen_lines(picture: Image, t_s: float) -> None:
    """Faint moving bands, as when a display is filmed."""
    h = picture.shape[0]
    wave = 1 + 0.05 * np.sin(np.arange(h) * 0.11 + 5.0 * t_s) + 0.03 * np.sin(np.arange(h) * 2.1)
    picture[:] = np.clip(picture * wave[:, None, None], 0, 255).astype(np.uint8)
