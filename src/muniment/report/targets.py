"""Where an edge of a claimed forward ends: a channel of the case, or a name outside it."""

from __future__ import annotations

from typing import Final

import msgspec

from muniment.model.display import count
from muniment.report.scene import Band, at
from muniment.report.survey import Survey
from muniment.report.wording import fit, line

#: Names drawn in lanes of their own; further ones share one lane.
MOST_NAMES: Final = 10
_HEIGHT: Final = 27.0


class Targets(msgspec.Struct, frozen=True):
    """The outside lanes and, for every name, (top, bottom) of where its edges end."""

    bands: tuple[Band, ...]
    places: dict[str, tuple[float, float]]
    bottom: float


def place(
    names: list[str], survey: Survey, inside: list[tuple[float, float]], top: float
) -> Targets:
    """Lay out the lanes of names that no channel, or more than one, of the case bears.

    Args:
        names: the names claimed in this picture, in order of first appearance.
        survey: for the channels of each name.
        inside: (top, bottom) of each channel's lane.
        top: where the outside lanes start.
    """
    places: dict[str, tuple[float, float]] = {}
    outside: list[str] = []
    for name in names:
        held = survey.named.get(name, ())
        if len(held) == 1 and held[0] >= 0:
            places[name] = inside[held[0]]
        else:
            outside.append(name)
    bands: list[Band] = []
    own = outside if len(outside) <= MOST_NAMES else outside[: MOST_NAMES - 1]
    y = top + (8 if outside else 0)
    for name in own:
        bands.append(_band(name, survey, y))
        places[name] = (y, y + _HEIGHT)
        y += _HEIGHT
    rest = outside[len(own) :]
    if rest:
        words = "not held as channels, or held more than once: see the list of claimed forwards"
        label = count(len(rest), "further name")
        bands.append(Band(at(y), at(_HEIGHT), label, "see the list", words, "forwards", True))
        places.update((name, (y, y + _HEIGHT)) for name in rest)
        y += _HEIGHT
    return Targets(tuple(bands), places, y)


def _band(name: str, survey: Survey, y: float) -> Band:
    held = survey.named.get(name, ())
    shown = line(name, 200)
    if not held:
        note = "named only, not held"
        words = "claimed as a source; no channel of exactly this name is in this case"
    elif len(held) == 1:
        note = "held, lane not drawn"
        words = "claimed as a source; the channel is in this case, its lane is not drawn"
    else:
        note = f"{len(held)} channels of this name"
        words = f"{len(held)} channels in this case bear this name; cannot tell which is meant"
    return Band(at(y), at(_HEIGHT), fit(name, 27), note, f"{shown}: {words}", "forwards", True)
