"""An examiner gives the same bytes whichever others run beside it: else none could be made anew."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from muniment.examine import registry
from muniment.examine.streams import RATES_FPS, spec
from muniment.model.examine import Examined
from tests.media import making
from tests.media.running import examined

FILMS: dict[str, Callable[[], bytes]] = {
    "plain": making.mp4,
    "14 s at 30 a second": lambda: making.film(frames=420, rate=30),
    "frames that are skipped": lambda: making.film(
        frames=250, rate=25, options={"bf": "4", "b_strategy": "0"}
    ),
    "turned": lambda: making.rotated(90),
}


def by_name(found: Examined) -> dict[str, Any]:
    return {one.examiner: one for one in found.findings}


@pytest.mark.parametrize("film", FILMS)
def test_any_examiners_alone_give_what_all_give(film: str) -> None:
    data, names = FILMS[film](), registry.wanted_for("video/mp4")
    together = examined(data)
    assert tuple(by_name(together)) == names
    for count in (1, 2):
        for some in combinations(names, count):
            alone = examined(data, names=some)
            assert by_name(alone) == {name: by_name(together)[name] for name in some}, some
            assert (alone.notes, alone.problem) == (together.notes, together.problem)


@pytest.mark.parametrize("damaged", [making.mp4()[:-3000], making.mp4()[:9000]])
def test_of_a_damaged_film_too(damaged: bytes) -> None:
    together = examined(damaged)
    for name in registry.wanted_for("video/mp4"):
        alone = examined(damaged, names=(name,))
        assert by_name(alone).get(name) == by_name(together).get(name)
        assert (alone.problem, alone.detail) == (together.problem, together.detail)


def test_every_rate_that_is_asked_for_is_one_of_the_grids() -> None:
    asked = [stream for one in registry.fed(registry.FED) for stream in one.streams]
    rates = {spec(stream).rate_fps for stream in asked if stream.endswith("fps")}
    assert rates <= set(RATES_FPS)
    with pytest.raises(ValueError, match="gray32@3fps"):
        spec("gray32@3fps")
