"""How copies differ from the fullest version, in words and as shapes over their pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from muniment.model.differences import Added, Box, Covered, Difference, Making, Missing, Sound
from muniment.model.display import count
from muniment.model.report_differences import DifferencesView, DifferenceView
from muniment.model.report_seen import FrameView
from muniment.report.bounds import Share
from muniment.report.rows import Link
from muniment.report.thumbs import Drawn, Pictures
from muniment.report.wording import clip_time, line, stretch

#: Copies of a cluster that are shown beside the fullest version, and those without a fold.
MOST_COMPARED: Final = 24
MOST_COMPARED_OPEN: Final = 8
#: Names told of the copies that show some seconds too; boxes drawn over one picture.
_MOST_NAMES: Final = 2
_MOST_BOXES: Final = 8
#: distance of the lines over what is covered, in thousandths of a side
_HATCH: Final = 36
_MOST_SAID: Final = 6
_SOUNDS: Final = {
    Sound.SAME: "the same sound",
    Sound.OTHER: "other sound: none of the fullest version’s was found in it",
    Sound.NO_TRACK: "no sound track; the fullest version has sound",
    Sound.SILENT: "its sound track is silent; the fullest version’s is not",
    Sound.ADDED: "has sound; the fullest version has none",
    Sound.NEITHER: "neither has sound",
    Sound.UNKNOWN: "whether the sound is the same cannot be told",
}
_WHERE: Final = {
    "beginning": "at its beginning",
    "middle": "in its middle",
    "end": "at its end",
}


class Shape(msgspec.Struct, frozen=True):
    """A rectangle over a picture, in thousandths of its sides; `kind` is covered, crop or bars.
    `hatch` is the path of the lines in it, "" where it is not hatched."""

    kind: str
    x: str
    y: str
    width: str
    height: str
    hatch: str
    title: str


class Fullest(msgspec.Struct, frozen=True):
    """The fullest version of a cluster, in words."""

    link: Link
    why: str
    quality: str
    guess: str


class DifferCard(msgspec.Struct, frozen=True):
    """One copy beside the fullest version: both pictures with what is drawn over them, and words."""

    anchor: str
    link: Link
    fullest: Drawn
    copy: Drawn
    alt_fullest: str
    alt_copy: str
    time_fullest: str
    time_copy: str
    shapes_fullest: tuple[Shape, ...]
    shapes_copy: tuple[Shape, ...]
    said: tuple[str, ...]
    quality: str
    guess: str


class DifferRow(msgspec.Struct, frozen=True):
    """The same as a row of a table."""

    link: Link
    said: tuple[str, ...]
    quality: str
    traces: str
    guess: str


class Beside:
    """Puts copies beside the fullest version. Pictures are fetched as the page asks for them.

    Args:
        items: HTML ids of the items' rows.
    """

    def __init__(self, items: Mapping[str, str], pictures: Pictures) -> None:
        self._items, self._pictures = items, pictures

    def fullest(self, view: DifferencesView) -> Fullest:
        """The fullest version itself."""
        return Fullest(
            self._link(view.fullest, view.fullest_name),
            line(view.why, 400),
            quality_words(view.making),
            guess_words(view.making),
        )

    def rows(self, view: DifferencesView, share: Share) -> tuple[DifferRow, ...]:
        """The copies as rows, as many as there is room for."""
        return tuple(
            DifferRow(
                self._link(one.item, one.name),
                said(one.difference, view.names),
                quality_words(one.difference.making),
                traces(one.difference.making),
                guess_words(one.difference.making),
            )
            for one in share.take(view.copies)
        )

    def cards(self, view: DifferencesView, anchor: str) -> Iterator[DifferCard]:
        """The copies with pictures, one at a time."""
        for number, one in enumerate(view.copies[:MOST_COMPARED], 1):
            yield self._card(one, view, f"{anchor}-differs-{number}")

    def _card(self, one: DifferenceView, view: DifferencesView, anchor: str) -> DifferCard:
        making = one.difference.making
        return DifferCard(
            anchor=anchor,
            link=self._link(one.item, one.name),
            fullest=self._drawn(one.fullest_key, one.fullest_s),
            copy=self._drawn(one.copy_key, one.copy_s),
            alt_fullest=f"Blurred frame of {line(view.fullest_name, 80)}",
            alt_copy=f"Blurred frame of {line(one.name, 80)}",
            time_fullest=_time(one.fullest_s),
            time_copy=_time(one.copy_s),
            shapes_fullest=shapes_on_fullest(one.difference),
            shapes_copy=shapes_on_copy(one.difference),
            said=said(one.difference, view.names),
            quality=quality_words(making),
            guess=guess_words(making),
        )

    def _link(self, item: str, name: str) -> Link:
        return Link(line(name, 200), self._items.get(item, ""))

    def _drawn(self, key: str | None, time_s: float | None) -> Drawn:
        if key is None:
            return Drawn("", 0, 0, "no picture was kept")
        return self._pictures.draw(FrameView(key, time_s))


def _time(time_s: float | None) -> str:
    return "" if time_s is None else clip_time(time_s)


def said(one: Difference, names: Mapping[str, str]) -> tuple[str, ...]:
    """How a copy differs, in short sentences; what is the same is not said, except the sound.

    Args:
        names: of the items, for those that show some seconds too.

    Example:
        >>> said(Difference("b", missing=(Missing("end", 9.0, 14.0),), sound=Sound.NO_TRACK), {})
        ('lacks 9.0–14.0 s at its end', 'no sound track; the fullest version has sound')
    """
    if not one.laid:
        return ("shares footage with other copies only; not laid on the fullest version",)
    return (
        *_listed([_missing(gap) for gap in one.missing], "further gap"),
        *_listed([_added(gap, names) for gap in one.added], "further addition"),
        *_listed(
            [_alike(gap) for gap in one.alike], "further such stretch", "further such stretches"
        ),
        *framing(one),
        *_listed([covered_words(part) for part in one.covered], "further covered part"),
        _heard(one),
    )


def _listed(words: list[str], single: str, several: str | None = None) -> list[str]:
    rest = len(words) - _MOST_SAID
    return [*words[:_MOST_SAID], *([count(rest, single, several)] if rest > 0 else [])]


def _missing(gap: Missing) -> str:
    return f"lacks {stretch(gap.start_s, gap.end_s)} {_WHERE.get(gap.where, '')}".rstrip()


def _added(gap: Added, names: Mapping[str, str]) -> str:
    also = [line(names.get(item, item), 60) for item in gap.also_in]
    if not also:
        whose = "that no other copy shows"
    else:
        rest = count(len(also) - _MOST_NAMES, "other") if len(also) > _MOST_NAMES else ""
        told = also[:_MOST_NAMES] + ([rest] if rest else [])
        whose = f"that {' and '.join(told)} {'show' if len(also) > 1 else 'shows'} too"
    on = ", the same shot going on" if gap.runs_on else ""
    return f"has {stretch(gap.start_s, gap.end_s)} besides, {whose}{on}"


def _alike(gap: Missing) -> str:
    when = stretch(gap.start_s, gap.end_s)
    return f"{when} look alike, and too little moves there to tell whether they are the same"


def framing(one: Difference) -> list[str]:
    """Mirroring, speed, crop, frame and bars."""
    words = [f"turned by {360 - one.rotated_deg}° clockwise"] if one.rotated_deg else []
    words += ["mirrored left to right"] if one.mirrored else []
    if one.speed != 1.0:
        how = "faster" if one.speed > 1 else "slower"
        words.append(f"runs {how}: at {one.speed:.2f} of the fullest version’s speed")
    if one.crop is not None:
        words.append(f"cropped: shows {_sides(one.crop)} of the fullest version’s frame")
    if one.around is not None:
        inner = f"fills {_sides(one.around)} of its frame"
        words.append(
            f"stands inside another picture or a player: it {inner}"
            if one.framed
            else f"shows more around it: the fullest version’s picture {inner}"
        )
    if one.bars is not None and not one.framed:
        left, top, right, bottom = one.bars
        bars = (("left", left), ("top", top), ("right", 1 - right), ("bottom", 1 - bottom))
        told = [f"{name} {_percent(size)}" for name, size in bars if size >= 0.02]
        words.append(f"bars: {', '.join(told)} of the frame")
    return words


def covered_words(part: Covered) -> str:
    """One part of the picture that differs.

    Example:
        >>> box = (0.0, 0.8, 1.0, 0.95)
        >>> covered_words(Covered(box, box, 0.0, 9.0, in_copy=True))
        'covered at the bottom (100 % wide, 15 % high), throughout'
    """
    left, top, right, bottom = part.box
    where = f"{_place(part.box)} ({_percent(right - left)} wide, {_percent(bottom - top)} high)"
    when = "throughout" if part.throughout else f"at {stretch(part.start_s, part.end_s)}"
    if part.in_copy:
        return f"covered {where}, {when}"
    if part.in_copy is None:
        return f"differs {where}, {when}; whose picture is covered cannot be told"
    return f"shows {where}, {when}, what is covered in the fullest version"


def _heard(one: Difference) -> str:
    if one.sound is Sound.SHIFTED and one.sound_shift_s is not None:
        late = "later" if one.sound_shift_s > 0 else "earlier"
        return f"the same sound, {clip_time(abs(one.sound_shift_s))} {late} than the picture"
    return _SOUNDS.get(one.sound, _SOUNDS[Sound.UNKNOWN])


def quality_words(making: Making) -> str:
    """Size and bit rate of a file.

    Example:
        >>> quality_words(Making(640, 360, 230400, 402779))
        '640 × 360 px, 403 kbit/s'
    """
    if not making.width_px or not making.height_px:
        return "size not known"
    size = f"{making.width_px:,} × {making.height_px:,} px"
    if making.bit_rate_bps is None:
        return size
    return f"{size}, {making.bit_rate_bps / 1000:,.0f} kbit/s"


def traces(making: Making) -> str:
    """What a file says of its making, on one line; "" when nothing."""
    parts = [
        line(making.codec, 60),
        f"container brand {line(making.brand, 20)}" if making.brand else "",
        f"a key picture every {clip_time(making.key_every_s)}" if making.key_every_s else "",
        *(line(one, 60) for one in making.encoders),
    ]
    return "; ".join(part for part in parts if part)


def guess_words(making: Making) -> str:
    """The guess at generations, always said to be one."""
    guess = making.generations
    reasons = "; ".join(line(one, 200) for one in guess.reasons)
    if not guess.at_least:
        return f"unknown; {reasons}" if reasons else "unknown"
    times = {1: "once", 2: "twice"}.get(guess.at_least, f"{guess.at_least} times")
    return f"a guess: encoded at least {times}: {reasons}"


def made(making: Making) -> tuple[str, str]:
    """Quality, and the guess at generations, as sentences."""
    return quality_words(making), f"generations: {guess_words(making)}"


def shapes_on_copy(one: Difference) -> tuple[Shape, ...]:
    """What is drawn over a copy's picture: bars, what stands around, what is covered."""
    found = []
    if one.bars is not None:
        found.append(_shape("bars", one.bars, "the picture inside its bars"))
    if one.around is not None:
        found.append(_shape("crop", one.around, "what it shares with the fullest version"))
    found += [
        _shape("covered", part.box, covered_words(part))
        for part in one.covered[:_MOST_BOXES]
        if part.in_copy is not False
    ]
    return tuple(found)


def shapes_on_fullest(one: Difference) -> tuple[Shape, ...]:
    """What is drawn over the fullest version's picture: the crop, and what covers it."""
    found = []
    if one.crop is not None:
        found.append(_shape("crop", one.crop, "the part that the copy shows"))
    found += [
        _shape("covered", part.reference_box, covered_words(part))
        for part in one.covered[:_MOST_BOXES]
        if part.in_copy is False
    ]
    return tuple(found)


def _shape(kind: str, box: Box, title: str) -> Shape:
    left, top, right, bottom = (min(max(_finite(side), 0.0), 1.0) * 1000 for side in box)
    width, height = max(right - left, 1.0), max(bottom - top, 1.0)
    lines = _hatch(left, top, width, height) if kind == "covered" else ""
    sides = f"{left:.0f}", f"{top:.0f}", f"{width:.0f}", f"{height:.0f}"
    return Shape(kind, *sides, lines, title)


def _hatch(left: float, top: float, width: float, height: float) -> str:
    """Slanted lines within a box, from one side to another."""
    path = []
    for step in range(_HATCH, int(width + height), _HATCH):
        x1, y1 = (left + step, top) if step <= width else (left + width, top + step - width)
        x2, y2 = (left, top + step) if step <= height else (left + step - height, top + height)
        path.append(f"M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}")
    return "".join(path)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _sides(box: Box) -> str:
    return f"{_percent(box[2] - box[0])} of the width and {_percent(box[3] - box[1])} of the height"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _place(box: Box) -> str:
    """Where a part lies in the picture."""
    across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    side = (
        "" if box[2] - box[0] > 0.6 else "left" if across < 0.4 else "right" if across > 0.6 else ""
    )
    row = "" if box[3] - box[1] > 0.6 else "top" if down < 0.35 else "bottom" if down > 0.65 else ""
    if row and side:
        return f"at the {row} {side}"
    if row:
        return f"at the {row}"
    return f"on the {side}" if side else "in the middle"
