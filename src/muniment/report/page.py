"""The report page: one HTML document that needs nothing else, the same bytes for the same record."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from muniment.model.report import ReportData
from muniment.report import rows, wording
from muniment.report.scene import WIDTH
from muniment.report.spread import spread
from muniment.report.summary import OUTCOMES, outcome_word, reasons, summary, window
from muniment.report.survey import MOST_ROWS, Survey, channel_label, survey, unique_anchors


def render(data: ReportData) -> bytes:
    """The page as UTF-8. It asks no clock, no locale and no disk but its own templates.

    Args:
        data: everything the page shows, as of one checkpoint.
    """
    facts = survey(data)
    drawn = spread(data, facts)
    groups = rows.item_groups(data, facts)
    items = rows.item_links(groups)
    acquisitions = unique_anchors(one.id for one in data.acquisitions)
    page = _environment().get_template("report.html.j2")
    html = page.render(
        data=data,
        style=Markup(_style()),
        style_hash=_style_hash(),
        summary=summary(data, facts),
        spread=drawn,
        lanes=facts.lanes,
        claims=_claims(facts),
        posts=rows.post_rows(data, facts, drawn.mark_of, items),
        groups=groups,
        items=items,
        reasons=reasons(data),
        words=_words(data, facts),
        acquisition_anchors=acquisitions,
        acquisition_links=dict(
            zip(
                (one.id for one in reversed(data.acquisitions)), reversed(acquisitions), strict=True
            )
        ),
        window=window(data),
        most=MOST_ROWS,
        picture_width=WIDTH,
    )
    return html.encode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("muniment.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    environment.filters |= {
        "line": wording.line,
        "clock": wording.clock,
        "size": wording.size,
        "outcome": outcome_word,
        "moment": rows.moment,
        "channel": channel_label,
    }
    environment.globals |= {
        "count": wording.count,
        "MOST_OPEN": rows.MOST_OPEN,
        "MOST_FOLDED": rows.MOST_FOLDED,
    }
    return environment


@cache
def _style() -> str:
    sheet = resources.files("muniment.report") / "templates" / "report.css"
    # A parser reads CR LF as LF, and hashes what it read.
    style = sheet.read_text("utf-8").replace("\r\n", "\n")
    if "</" in style:
        raise AssertionError("report.css would end its own element")
    return style


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


_MEANINGS: Final = {
    "absent": "a source names it, and it was not there",
    "failed": "it was tried and did not work",
    "refused": "it was not opened on purpose, because of what its name or path says",
    "not_tried": "nothing was attempted",
}


def _words(data: ReportData, facts: Survey) -> list[dict[str, Any]]:
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
    return [*words, cannot]


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
