"""The rows of the lists: every value safe to show on one line, every link one that resolves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from muniment.model.display import visible
from muniment.model.report import ItemView, PostView, ReportData
from muniment.model.times import Interval
from muniment.report.story import examined_word
from muniment.report.summary import CATEGORIES, item_category
from muniment.report.survey import GONE, MOST_ROWS, Survey, channel_label, is_exact, unique_anchors
from muniment.report.wording import clock, duration, line, span_ms

_EXCERPT: Final = 200
_MOST_LINES: Final = 5
#: Characters of one text on the page.
MOST_TEXT: Final = 20_000
#: Posts named in an item's row, and circumstances shown without a fold.
MOST_POSTS: Final = 12
MOST_OPEN: Final = 4
MOST_FOLDED: Final = 100


class When(msgspec.Struct, frozen=True):
    """A time in words. `quality` is exact, interval or unknown; `width` the interval's length."""

    quality: str
    start: str
    start_stamp: str
    end: str
    end_stamp: str
    width: str
    basis: str


class Text(msgspec.Struct, frozen=True):
    """A post's text. `whole` is empty when the excerpt says it all; `left_out` counts characters."""

    excerpt: str
    whole: str
    left_out: int
    length: int


class Link(msgspec.Struct, frozen=True):
    """Words and, when the page has the row they name, its HTML id."""

    text: str
    target: str


class PostRow(msgspec.Struct, frozen=True):
    """One row of the list of posts."""

    anchor: str
    id: str
    mark: str
    published: When
    edited: When | None
    channel: Link
    number: str
    kind: str
    author: str
    text: Text | None
    text_object: str
    media: str
    media_state: str
    media_type: str
    media_path: str
    item: Link | None
    forwarded: Link | None
    forwarded_note: str
    reply: Link | None
    album: Link | None
    export: Link
    start_byte: int
    end_byte: int


class ItemRow(msgspec.Struct, frozen=True):
    """One row of a list of items, with links to the posts that show it; `posts_read` counts the
    posts whose raw records stand in it; `examined` says in a word what became of examining it."""

    anchor: str
    view: ItemView
    posts: tuple[Link, ...]
    more_posts: int
    posts_read: int
    examined: str


class Group(msgspec.Struct, frozen=True):
    """The items of one category; `more` counts those not listed."""

    category: str
    heading: str
    rows: tuple[ItemRow, ...]
    more: int


def _basis(interval: Interval) -> str:
    # The head of the column says that times are the exporter's claim.
    return line(interval.basis.removesuffix(", exporter's claim"), 120)


def moment(interval: Interval) -> When:
    """A time in words."""
    span = span_ms(interval)
    if span is None:
        return When("unknown", "", "", "", "", "", _basis(interval))
    start, end = interval.earliest_utc or "", interval.latest_utc or ""
    return When(
        "exact" if is_exact(span) else "interval",
        clock(start),
        start,
        clock(end),
        end,
        duration(span[1] - span[0]),
        _basis(interval),
    )


def text_of(text: str | None, characters: int = 0) -> Text | None:
    """A text for the list: whole when short, else an excerpt and the whole behind a fold.

    Args:
        characters: how many there are in all when `text` is only their beginning.
    """
    if not text:
        return None
    length = max(characters, len(text))
    if length <= _EXCERPT and text.count("\n") < _MOST_LINES:
        return Text(visible(text, keep_newlines=True), "", 0, len(text))
    whole = visible(text[:MOST_TEXT], keep_newlines=True)
    return Text(line(text, _EXCERPT), whole, max(0, length - MOST_TEXT), length)


def item_groups(data: ReportData, survey: Survey) -> tuple[Group, ...]:
    """The items by category, in the order of the summary."""
    by_category: dict[str, list[int]] = {name: [] for name in CATEGORIES}
    for index, item in enumerate(data.items):
        by_category.setdefault(item_category(item), []).append(index)
    anchors = unique_anchors(item.id for item in data.items)
    posts = shown_posts(data, survey)
    read = Counter(post.export_item for post in data.posts)
    groups = []
    for category, indexes in by_category.items():
        plural = CATEGORIES.get(category, ("", f"{line(category, 40)} files"))[1]
        rows = tuple(
            _item_row(data.items[index], anchors[index], posts, read)
            for index in indexes[:MOST_ROWS]
        )
        heading = plural[:1].upper() + plural[1:]
        groups.append(Group(category, heading, rows, max(0, len(indexes) - MOST_ROWS)))
    return tuple(groups)


def item_links(groups: Sequence[Group]) -> dict[str, str]:
    """Item id -> HTML id of its row, for the rows there are."""
    links: dict[str, str] = {}
    for group in groups:
        for row in group.rows:
            links.setdefault(row.view.id, row.anchor)
    return links


def post_rows(
    data: ReportData, survey: Survey, mark_of: dict[int, str], items: dict[str, str]
) -> tuple[PostRow, ...]:
    """The first rows of the list of posts, in order."""
    by_number: dict[tuple[str, str], str] = {}
    for index, post in enumerate(data.posts[:MOST_ROWS]):
        if post.post_id is not None:
            by_number.setdefault((post.channel_key, post.post_id), survey.anchors[index])
    return tuple(
        _post_row(survey, index, post, mark_of.get(index, ""), items, by_number)
        for index, post in enumerate(data.posts[:MOST_ROWS])
    )


def shown_posts(data: ReportData, survey: Survey) -> dict[str, str]:
    """Post id -> HTML id of its row, for the rows there are."""
    shown: dict[str, str] = {}
    for index, post in enumerate(data.posts[:MOST_ROWS]):
        shown.setdefault(post.id, survey.anchors[index])
    return shown


def _item_row(item: ItemView, anchor: str, posts: dict[str, str], read: Counter[str]) -> ItemRow:
    named = item.posts[:MOST_POSTS]
    links = tuple(Link(line(post, 40), posts.get(post, "")) for post in named)
    return ItemRow(
        anchor, item, links, len(item.posts) - len(named), read[item.id], examined_word(item)
    )


def _post_row(
    survey: Survey,
    index: int,
    post: PostView,
    mark: str,
    items: dict[str, str],
    by_number: dict[tuple[str, str], str],
) -> PostRow:
    lane = survey.lanes[survey.lane_of[index]]

    def within(number: str | None) -> Link | None:
        if number is None:
            return None
        return Link(line(number, 60), by_number.get((post.channel_key, number), ""))

    item = post.media_item
    forwarded, note = _forwarded(survey, post)
    return PostRow(
        anchor=survey.anchors[index],
        id=line(post.id, 40),
        mark=mark,
        published=moment(post.published),
        edited=moment(post.edited) if post.edited else None,
        channel=Link(f"{line(lane.label, 200)} {lane.note}".strip(), lane.anchor),
        number=line(post.post_id, 60) if post.post_id is not None else "not given",
        kind=_kind(post),
        author=line(post.author, 200) if post.author is not None else "not given",
        text=text_of(post.text, post.text_characters),
        text_object=post.text_object or "",
        media=survey.media[index] or "",
        media_state="gone" if survey.states[index] == GONE else "held",
        media_type=line(post.media_type or "file", 60),
        media_path=line(post.media_path, 400) if post.media_path else "",
        item=Link(line(item, 40), items.get(item, "")) if item else None,
        forwarded=forwarded,
        forwarded_note=note,
        reply=within(post.reply_to),
        album=within(post.album_of),
        export=Link(line(post.export_item, 40), items.get(post.export_item, "")),
        start_byte=post.start_byte,
        end_byte=post.end_byte,
    )


def _kind(post: PostView) -> str:
    if post.kind != "service":
        return "" if post.kind == "message" else line(post.kind, 60)
    action = line(post.action, 60) if post.action else "action not given"
    return f"service message: {action}"


def _forwarded(survey: Survey, post: PostView) -> tuple[Link | None, str]:
    if post.forwarded_from is None:
        return None, ""
    name = channel_label(post.forwarded_from[:200])
    held = survey.named.get(post.forwarded_from, ())
    if len(held) == 1:
        return Link(name, survey.lanes[held[0]].anchor), ""
    if held:
        return Link(name, ""), f"{len(held)} channels of this name are held: cannot tell which"
    return Link(name, ""), "no channel of this name is held"
