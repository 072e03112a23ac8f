"""The spread over time as a picture: which picture to draw, and its words.

A dot is a time known to its instant, a bounded bar an interval: the quality of a date has its own
shape, what the post holds is told by the filling, and neither by colour alone.
"""

from __future__ import annotations

from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report import ReportData
from muniment.report import bins, marks
from muniment.report.axis import as_utc
from muniment.report.scene import Picture, Scale, scale
from muniment.report.survey import MOST_ROWS, SERVICE, Survey, is_exact, narrowed
from muniment.report.wording import duration

#: A close-up is drawn when a share of the posts, the largest of these (in percent) that does, lies
#: within one part in so many of the whole span.
_CLOSE_SHARES: Final = (100, 95, 90, 80)
_CLOSE_PART: Final = 6
_CLOSE_LEAST: Final = 6
#: More channels than this are not drawn; the list of channels has all of them.
_MOST_LANES: Final = 100


class Spread(msgspec.Struct, frozen=True):
    """The pictures, and for each post (by index) the id of the mark the list links back to."""

    pictures: tuple[Picture, ...]
    mark_of: dict[int, str]
    is_counted: bool


def spread(data: ReportData, survey: Survey) -> Spread:
    """The overview, and a close-up where most posts crowd into a small part of it."""
    all_lanes = len(survey.lanes)
    survey = narrowed(survey, _MOST_LANES) if all_lanes > _MOST_LANES else survey
    everything = [index for index, lane in enumerate(survey.lane_of) if lane >= 0]
    dated = [span for index in everything if (span := survey.spans[index]) is not None]
    if not everything:
        return Spread((), {}, False)
    start = min((span[0] for span in dated), default=0)
    end = max((span[1] for span in dated), default=0)
    has_undated = len(dated) < len(everything)
    whole = scale(start, end, has_undated=has_undated)
    if not dated:  # an axis of nothing would claim a time
        whole = Scale(0, 1, whole.left, whole.right)
    picture, mark_of = _picture(data, survey, whole, everything, "mark")
    if not dated:
        picture = msgspec.structs.replace(picture, grid=())
    pictures = [_with_words(picture, "All posts", whole, survey, everything, 0)]
    if all_lanes > len(survey.lanes):
        note = (
            f"The {len(survey.lanes)} fullest of {all_lanes:,} channels are drawn;"
            f" {count(len(data.posts) - len(everything), 'post')} of the others are not."
        )
        pictures = [msgspec.structs.replace(pictures[0], notes=(note, *pictures[0].notes))]
    window = _crowded(data, survey, everything, start, end)
    if window:
        close = scale(*window, has_undated=False)
        members = [index for index in everything if _overlaps(survey, index, close)]
        picture, nearer = _picture(data, survey, close, members, "near")
        left_out = len(everything) - len(members)
        pictures.append(_with_words(picture, "Close-up", close, survey, members, left_out))
        mark_of |= nearer
    return Spread(tuple(pictures), mark_of, len(everything) > MOST_ROWS)


def _picture(
    data: ReportData, survey: Survey, across: Scale, members: list[int], name: str
) -> tuple[Picture, dict[int, str]]:
    # The close-up follows the whole: where rows are cut, single marks would link to nothing.
    if len(data.posts) <= MOST_ROWS:
        return marks.draw(data, survey, across, members, name)
    picture, left_out, step = bins.draw(data, survey, across, members, name)
    notes = [f"Each square counts the posts of {step} in one channel."]
    if left_out:
        notes.append(
            f"The {bins.MOST_EDGES} strongest groups of claimed forwards are drawn;"
            f" {count(left_out, 'smaller group')} are not. The list of claimed forwards counts all."
        )
    return msgspec.structs.replace(picture, notes=tuple(notes)), {}


def _overlaps(survey: Survey, index: int, across: Scale) -> bool:
    span = survey.spans[index]
    return span is not None and span[0] <= across.end_ms and span[1] >= across.start_ms


def _crowded(
    data: ReportData, survey: Survey, members: list[int], start: int, end: int
) -> tuple[int, int] | None:
    """The smallest window that holds most posts of exact time, when it is small enough to matter."""
    times = sorted(
        span[0]
        for index in members
        if (span := survey.spans[index]) is not None
        and is_exact(span)
        and data.posts[index].kind != SERVICE
    )
    if len(times) < _CLOSE_LEAST:
        return None
    for share in _CLOSE_SHARES:
        reach = -(-len(times) * share // 100) - 1
        width, first = min((times[at + reach] - times[at], at) for at in range(len(times) - reach))
        if width * _CLOSE_PART < end - start:
            return times[first], times[first + reach]
    return None


def _with_words(
    picture: Picture, heading: str, across: Scale, survey: Survey, members: list[int], left_out: int
) -> Picture:
    dated = [survey.spans[index] for index in members if survey.spans[index] is not None]
    uncertain = sum(not is_exact(span) for span in dated)
    undated = len(members) - len(dated)
    period = "no known time"
    if dated:
        period = f"{as_utc(across.start_ms)} to {as_utc(across.end_ms)} UTC"
    notes = list(picture.notes)
    if heading == "Close-up":
        notes.insert(
            0,
            f"The same drawing, enlarged: {duration(across.end_ms - across.start_ms)} in which most"
            " posts lie. Outside this stretch and not drawn here:"
            f" {count(left_out, 'post or service message', 'posts or service messages')}.",
        )
    if any(mark.open_left or mark.open_right for mark in picture.marks):
        notes.append("A bar without an end cap goes on beyond the edge.")
    description = (
        f"{count(len(members), 'post')} and service messages in"
        f" {count(len(survey.lanes), 'channel')}, one lane each, from left to right in time, {period}."
        f" {count(uncertain, 'post')} with uncertain times drawn as bars; {undated:,} without a"
        " known time stand in a column at the right. Dashed curves are claimed forwards."
        " The list of posts below says the same in words."
    )
    title = f"{heading}: posts by channel and time, {period}"
    return msgspec.structs.replace(
        picture, heading=heading, title=title, description=description, notes=tuple(notes)
    )
