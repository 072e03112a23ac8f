"""How a file was made, from its container's facts, and a guess how often it was encoded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from muniment.model.differences import Guess, Making
from muniment.trace.clip import Clip

#: Programs that write files out of other files: conversion tools and what edits, not what films.
_PROGRAMS: Final = re.compile(
    r"\b(Lavf|Lavc|libx26[45]|x26[45]|HandBrake|Adobe|Premiere|Final Cut|DaVinci|Kdenlive|"
    r"OpenShot|CapCut|InShot|VideoLAN|MEncoder|libwebm|SVT-AV1|libaom|vpxenc|GPAC|"
    r"Google|Shotcut|iMovie|Movie Maker|Vegas|Camtasia)",
    re.IGNORECASE,
)
#: Programs that record what a screen shows.
_RECORDERS: Final = re.compile(r"\b(OBS|ReplayKit|Bandicam|Camtasia|screen ?record)", re.IGNORECASE)
#: Facts by which a device names itself.
_DEVICE: Final = re.compile(
    r"(?:^|[.\-_ ])(?:make|model|manufacturer)$|com\.android\.(?:version|capture)"
)
_MOST_ENCODERS: Final = 6
_SHORT: Final = 60
#: of the bit rate of another of no smaller picture, below which a file was hardly its source
_LESS: Final = 0.75


def making(clip: Clip, container: Mapping[str, Any] | None) -> Making:
    """What is known of how a clip's file was made.

    Args:
        container: the container examiner's facts; None when there are none.
    """
    facts = container or {}
    box = _middle(clip)
    inside = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
    packets = _dict(facts.get("packets"))
    size, pictures, keys = (packets.get(name) for name in ("bytes", "pictures", "key_pictures"))
    rate = _whole(size) * 8 / clip.duration_s if clip.duration_s > 0 and _whole(size) else None
    every = (
        clip.duration_s / _whole(keys)
        if _whole(keys) and _whole(pictures) > 1 and clip.duration_s > 0
        else None
    )
    return Making(
        width_px=clip.width_px,
        height_px=clip.height_px,
        picture_px=round(clip.width_px * clip.height_px * inside),
        bit_rate_bps=None if rate is None else round(rate),
        key_every_s=None if every is None else round(every, 1),
        codec=_codec(facts),
        brand=_brand(facts),
        encoders=encoders(facts),
        generations=guessed(facts),
    )


def guessed(facts: Mapping[str, Any]) -> Guess:
    """How often footage was encoded at the least, by what the container says.

    A program that converts names itself: at least two. A device names itself and no such program: at
    least one. Nothing of either kind: unknown.
    """
    named = encoders(facts)
    programs = [one for one in named if _PROGRAMS.search(one)]
    recorders = [one for one in named if _RECORDERS.search(one)]
    devices = _devices(facts)
    if recorders:
        why = f"it names {_listed(recorders)}, which records a screen: what it shows was encoded before"
        return Guess(2, (why,))
    if programs:
        reasons = [
            f"it names {_listed(programs[:1])}, a program that writes files out of other files"
        ]
        if devices:
            reasons.append(f"it names a device too ({_listed(devices)}): tags can be carried over")
        return Guess(2, tuple(reasons))
    if devices:
        return Guess(1, (f"it names a device ({_listed(devices)}) and no program that converts",))
    return Guess()


def beside(own: Making, other: Making) -> Making:
    """The same, with what comparing it with the fullest version adds to the guess."""
    if not own.bit_rate_bps or not other.bit_rate_bps:
        return own
    smaller = own.picture_px < 0.9 * other.picture_px
    if not smaller and own.bit_rate_bps >= _LESS * other.bit_rate_bps:
        return own
    what = "fewer pixels" if smaller else "fewer bits a second"
    why = f"it has {what} than the fullest version, of which it was hardly the source"
    known = own.generations
    guess = Guess(known.at_least, (*known.reasons, why))
    return msgspec.structs.replace(own, generations=guess)


def encoders(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The programs that a container names, each once, cut to what names them."""
    found: dict[str, None] = {}
    for one in facts.get("encoders") or ():
        text = str(_dict(one).get("text", "")).split(" - http")[0].split(" - H.26")[0]
        if "handler_name" in str(_dict(one).get("source", "")) and not _PROGRAMS.search(text):
            continue
        short = text.strip()[:_SHORT]
        if short and not any(known.startswith(short) for known in found):
            found[short] = None
    return tuple(found)[:_MOST_ENCODERS]


def _devices(facts: Mapping[str, Any]) -> list[str]:
    """Values of tags by which a device names itself."""
    tags = [*(facts.get("tags") or ())]
    for track in facts.get("tracks") or ():
        tags += _dict(track).get("tags") or ()
    found = {
        str(_dict(one).get("value", ""))[:_SHORT]: None
        for one in tags
        if _DEVICE.search(str(_dict(one).get("name", "")).lower())
    }
    return [one for one in found if one.strip()]


def _codec(facts: Mapping[str, Any]) -> str:
    for track in facts.get("tracks") or ():
        if _dict(track).get("type") == "video" and _dict(track).get("decoded"):
            return str(_dict(track).get("codec", ""))[:_SHORT]
    return ""


def _brand(facts: Mapping[str, Any]) -> str:
    brands = _dict(facts.get("structure")).get("brands") or ()
    return str(brands[0]).strip()[:20] if brands else ""


def _middle(clip: Clip) -> list[float]:
    """The usual part inside borders, as fractions of the frame."""
    if not len(clip.boxes):
        return [0.0, 0.0, 1.0, 1.0]
    return [float(one) for one in np.median(clip.boxes, axis=0)]


def _listed(names: list[str]) -> str:
    return ", ".join(f"“{one}”" for one in names[:2])


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int:
    ok = isinstance(value, int) and not isinstance(value, bool) and 0 < value < math.inf
    return value if ok else 0
