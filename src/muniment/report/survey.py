"""One pass over the posts: channels, intervals, what became of each file, what forwards claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from muniment.model.report import ItemView, PostView, ReportData
from muniment.report.wording import anchor, line, span_ms

#: From this many on, posts are drawn as counts and tables are cut.
MOST_ROWS: Final = 2000

HELD: Final = "held"
TEXT: Final = "text"
GONE: Final = "gone"
SERVICE: Final = "service"

_ABSENT: Final = {
    "not_included": "absent: not included in the export",
    "missing": "absent: the export names it, its folder lacks it",
    "empty": "absent: zero bytes in the export",
    "refused": "refused: its path points outside the export's folder",
}

Span = tuple[int, int] | None


class Lane(msgspec.Struct, frozen=True):
    """One channel: its label, what it holds, and the interval its posts lie in.

    `note` tells it from other channels of the same name.
    """

    key: str
    name: str | None
    label: str
    note: str
    anchor: str
    ids: str
    kind: str
    export_item: str
    posts: int
    services: int
    held: int
    gone: int
    uncertain: int
    undated: int
    edited: int
    forwards: int
    start: str | None
    end: str | None


class Claim(msgspec.Struct, frozen=True):
    """How often one channel's posts claim to be forwarded from one name; `first` is a post's index."""

    lane: int
    name: str
    number: int
    first: int


class Survey(msgspec.Struct, frozen=True):
    """What the pictures and lists share. Sequences are by a post's index in `ReportData.posts`.

    `media` says in words what became of each post's file. `named` gives the lanes of each name; a
    lane that is not drawn stands as -1.
    """

    spans: tuple[Span, ...]
    lane_of: tuple[int, ...]
    states: tuple[str, ...]
    media: tuple[str | None, ...]
    anchors: tuple[str, ...]
    lanes: tuple[Lane, ...]
    claims: tuple[Claim, ...]
    named: dict[str, tuple[int, ...]]


def survey(data: ReportData) -> Survey:
    """All of it, in order of the posts."""
    items = {item.id: item for item in data.items}
    held = {item.id for item in data.items if not item.erased}
    order: dict[str, list[int]] = {}
    for index, post in enumerate(data.posts):
        order.setdefault(post.channel_key, []).append(index)
    spans = tuple(span_ms(post.published) for post in data.posts)
    states = tuple(_state(post, held) for post in data.posts)
    lane_of = [0] * len(data.posts)
    for number, members in enumerate(order.values()):
        for index in members:
            lane_of[index] = number
    firsts = [data.posts[members[0]] for members in order.values()]
    names = Counter(post.channel.name for post in firsts)
    lanes = tuple(
        _lane(data, number, members, spans, states, names[firsts[number].channel.name] > 1)
        for number, members in enumerate(order.values())
    )
    named: dict[str, tuple[int, ...]] = {}
    for number, lane in enumerate(lanes):
        if lane.name is not None:
            named[lane.name] = (*named.get(lane.name, ()), number)
    anchors = unique_anchors(post.id for post in data.posts)
    return Survey(
        spans=spans,
        lane_of=tuple(lane_of),
        states=states,
        media=tuple(media_words(post, items) for post in data.posts),
        anchors=anchors,
        lanes=lanes,
        claims=_claims(data.posts, lane_of),
        named=named,
    )


def unique_anchors(identities: Iterable[str]) -> tuple[str, ...]:
    """HTML ids, one for each identity; a second one of the same kind gets a number."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for identity in identities:
        name = anchor(identity)
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}--{seen[name]}")
    return tuple(found)


def narrowed(whole: Survey, most: int) -> Survey:
    """The survey with only the `most` fullest channels as lanes; posts of others have lane -1."""
    sizes = [lane.posts + lane.services for lane in whole.lanes]
    fullest = sorted(range(len(sizes)), key=lambda number: (-sizes[number], number))[:most]
    moved = {number: place for place, number in enumerate(sorted(fullest))}
    return msgspec.structs.replace(
        whole,
        lanes=tuple(whole.lanes[number] for number in sorted(fullest)),
        lane_of=tuple(moved.get(number, -1) for number in whole.lane_of),
        named={
            name: tuple(moved.get(number, -1) for number in numbers)
            for name, numbers in whole.named.items()
        },
    )


def is_exact(span: Span) -> bool:
    """Whether a time is known to its instant, as exports claim it."""
    return span is not None and span[0] == span[1]


def channel_label(name: str | None) -> str:
    """A channel's name, safe to show; its words when there is none."""
    if name is None:
        return "(channel without a name)"
    return line(name) if name.strip() else f"(blank name “{line(name)}”)"


def media_words(post: PostView, items: dict[str, ItemView]) -> str | None:
    """What became of a post's file; null when it has none."""
    if post.media_type is None and post.media_status is None:
        return None
    item = items.get(post.media_item or "")
    if item is not None:
        return "held until its bytes were destroyed on purpose" if item.erased else "held"
    if post.media_status == "included":
        return "not held although the export includes it: see absences and failures"
    if post.media_status is None:
        return "cannot tell: the record does not say what became of it"
    return _ABSENT.get(post.media_status, f"cannot tell: status “{line(post.media_status, 60)}”")


def _state(post: PostView, held: set[str]) -> str:
    if post.kind == "service":
        return SERVICE
    if post.media_type is None and post.media_status is None:
        return TEXT
    return HELD if post.media_item in held else GONE


def _lane(
    data: ReportData,
    number: int,
    members: list[int],
    spans: tuple[Span, ...],
    states: tuple[str, ...],
    is_shared: bool,
) -> Lane:
    posts = [data.posts[index] for index in members]
    first = posts[0]
    words = Counter(states[index] for index in members)
    ends = [(post.published.earliest_utc, post.published.latest_utc) for post in posts]
    starts = [start for start, _ in ends if start is not None]
    stops = [stop for _, stop in ends if stop is not None]
    ids = list(dict.fromkeys(post.channel.id for post in posts if post.channel.id is not None))
    chat = f"chat {first.channel.ordinal + 1} of export {line(first.export_item, 40)}"
    return Lane(
        key=first.channel_key,
        name=first.channel.name,
        label=channel_label(first.channel.name),
        note=f"({chat})" if is_shared else "",
        anchor=f"channel-{number + 1}",
        ids=", ".join(line(one, 60) for one in ids[:5]) or "not given",
        kind=line(first.channel.type or "not given", 60),
        export_item=first.export_item,
        posts=len(posts) - words[SERVICE],
        services=words[SERVICE],
        held=words[HELD],
        gone=words[GONE],
        uncertain=sum(spans[index] is not None and not is_exact(spans[index]) for index in members),
        undated=sum(spans[index] is None for index in members),
        edited=sum(post.edited is not None for post in posts),
        forwards=sum(post.forwarded_from is not None for post in posts),
        start=min(starts, default=None),
        end=max(stops, default=None),
    )


def _claims(posts: tuple[PostView, ...], lane_of: list[int]) -> tuple[Claim, ...]:
    numbers: Counter[tuple[int, str]] = Counter()
    firsts: dict[tuple[int, str], int] = {}
    for index, post in enumerate(posts):
        if post.forwarded_from is not None:
            pair = lane_of[index], post.forwarded_from
            numbers[pair] += 1
            firsts.setdefault(pair, index)
    return tuple(Claim(*pair, numbers[pair], firsts[pair]) for pair in firsts)
