"""The report page: one HTML document that needs nothing else, the same bytes for the same record."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from muniment.model.display import count
from muniment.model.report import ReportData
from muniment.model.report_seen import THUMBNAIL_PX, Thumbnails
from muniment.model.trace import SCORE_SENTENCE
from muniment.report import rows, wording
from muniment.report.bounds import Shares
from muniment.report.copies import MOST_OPEN_MEMBERS, MOST_PICTURED, MOST_UNFOLDED, Copies
from muniment.report.differing import MOST_COMPARED, MOST_COMPARED_OPEN
from muniment.report.scene import WIDTH
from muniment.report.seen import Details
from muniment.report.spread import spread
from muniment.report.story import (
    EXAMINED_WORDS,
    Story,
    confinement_sentence,
    done_sentence,
    not_done_sentence,
    story,
    unexamined,
    untried,
)
from muniment.report.summary import OUTCOMES, outcome_word, reasons, summary, window
from muniment.report.survey import MOST_ROWS, Survey, channel_label, survey, unique_anchors
from muniment.report.thumbs import MOST_PICTURES, Pictures

#: Template events joined into one piece: some 100 kB.
_CHUNKS: Final = 2000


def render(data: ReportData, thumbnails: Thumbnails | None = None) -> bytes:
    """The page as UTF-8. It asks no clock, no locale and no disk but its own templates.

    Args:
        data: everything the page shows, as of one checkpoint.
        thumbnails: fetches a picture by its key [default: no pictures].
    Raises:
        MalformedError: if a picture is larger than a thumbnail may be, or not of its size.
    """
    return b"".join(pieces(data, thumbnails))


def pieces(data: ReportData, thumbnails: Thumbnails | None = None) -> Iterator[bytes]:
    """The page of `render` in pieces; pictures are fetched and forgotten one at a time."""
    stream = environment().get_template("report.html.j2").stream(_values(data, thumbnails))
    stream.enable_buffering(_CHUNKS)
    for piece in stream:
        yield piece.encode()


def _values(data: ReportData, thumbnails: Thumbnails | None) -> dict[str, Any]:
    facts = survey(data)
    drawn = spread(data, facts)
    groups = rows.item_groups(data, facts)
    items = rows.item_links(groups)
    acquisitions = unique_anchors(one.id for one in data.acquisitions)
    pictures, shares = Pictures(thumbnails), Shares()
    told = story(data)
    posts = rows.shown_posts(data, facts)
    return {
        "data": data,
        "style": Markup(style()),
        "style_hash": style_hash(),
        "images": "img-src data:; " if thumbnails else "",
        "summary": summary(data, facts, told),
        "told": told,
        "done": done_sentence(told),
        "not_done": not_done_sentence(told),
        "untried": untried(told),
        "unexamined": unexamined(data.items),
        "copies": Copies(data.trace, items, posts, pictures, shares) if data.trace else None,
        "details": Details(data, items, pictures, shares),
        "pictures": pictures,
        "post_links": posts,
        "spread": drawn,
        "lanes": facts.lanes,
        "claims": _claims(facts),
        "posts": rows.post_rows(data, facts, drawn.mark_of, items),
        "groups": groups,
        "items": items,
        "reasons": reasons(data),
        "words": _words(data, facts, told),
        "acquisition_anchors": acquisitions,
        "acquisition_links": dict(
            zip(
                (one.id for one in reversed(data.acquisitions)), reversed(acquisitions), strict=True
            )
        ),
        "window": window(data),
        "most": MOST_ROWS,
        "picture_width": WIDTH,
        "thumbnail_px": THUMBNAIL_PX,
        "most_pictures": MOST_PICTURES,
        "most_pictured": MOST_PICTURED,
        "most_unfolded": MOST_UNFOLDED,
        "most_open": MOST_OPEN_MEMBERS,
        "most_compared": MOST_COMPARED,
        "most_compared_open": MOST_COMPARED_OPEN,
    }


@cache
def environment() -> jinja2.Environment:
    """The templates, escaping everything; also for the page of clear pictures."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("muniment.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    made.filters |= {
        "line": wording.line,
        "clock": wording.clock,
        "size": wording.size,
        "outcome": outcome_word,
        "moment": rows.moment,
        "channel": channel_label,
        "clip_time": wording.clip_time,
        "confined": confinement_sentence,
    }
    made.globals |= {
        "SCORE": SCORE_SENTENCE,
        "count": count,
        "MOST_OPEN": rows.MOST_OPEN,
        "MOST_FOLDED": rows.MOST_FOLDED,
    }
    return made


@cache
def style(*sheets: str) -> str:
    """The style of a page [default: of the report], as it stands in its one element."""
    folder = resources.files("muniment.report") / "templates"
    # A parser reads CR LF as LF, and hashes what it read.
    texts = [(folder / name).read_text("utf-8") for name in sheets or ("report.css",)]
    whole = "".join(texts).replace("\r\n", "\n")
    if "</" in whole:
        raise AssertionError("a sheet would end its own element")
    return whole


@cache
def style_hash(*sheets: str) -> str:
    """Its digest, for the policy."""
    return base64.b64encode(hashlib.sha256(style(*sheets).encode()).digest()).decode()


_MEANINGS: Final = {
    "absent": "a source names it, and it was not there",
    "failed": "it was tried and did not work",
    "refused": "it was not opened on purpose, because of what its name or path says",
    "not_tried": "nothing was attempted",
}


_EXAMINED: Final = {
    "partly": "it is held, and only some of it could be decoded or read",
    "failed": "it is held, and nothing of it could be decoded or read",
}


def _words(data: ReportData, facts: Survey, told: Story) -> list[dict[str, Any]]:
    """The words for what is not there, what each means, and how often it is so here."""
    numbers = Counter(miss.outcome for miss in data.misses)
    words = [
        {
            "word": outcome_word(outcome),
            "meaning": _MEANINGS.get(outcome, "as recorded"),
            "number": numbers[outcome],
        }
        for outcome in (*OUTCOMES, *sorted(set(numbers) - set(OUTCOMES)))
    ]
    undated = sum(span is None for span in facts.spans)
    loose = sum(lane.uncertain for lane in facts.lanes)
    cannot = {
        "word": "cannot tell",
        "meaning": "what is held does not decide it; here: posts without an exact time",
        "number": undated + loose,
    }
    examined = [
        {"word": word, "meaning": _EXAMINED[outcome], "number": told.outcomes[outcome]}
        for outcome, word in EXAMINED_WORDS.items()
        if outcome in _EXAMINED
    ]
    return [*words, *examined, cannot]


def _claims(facts: Survey) -> list[dict[str, Any]]:
    """The list of claimed forwards: one row for each channel and name."""
    listed = []
    for claim in facts.claims[:MOST_ROWS]:
        held = facts.named.get(claim.name, ())
        listed.append(
            {
                "lane": facts.lanes[claim.lane],
                "name": channel_label(claim.name[:200]),
                "target": facts.lanes[held[0]].anchor if len(held) == 1 else "",
                "held": len(held),
                "number": claim.number,
                "first": facts.anchors[claim.first] if claim.first < MOST_ROWS else "",
            }
        )
    return listed
