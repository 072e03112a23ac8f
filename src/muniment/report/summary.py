"""The opening of the page: what is held, what is missing and why, what is not known, what is sealed."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report import CustodyView, ItemView, ReportData
from muniment.model.trace import Verdict
from muniment.report.marks import when
from muniment.report.story import Story, done_sentence, not_done_sentence
from muniment.report.survey import GONE, SERVICE, Survey, is_exact
from muniment.report.wording import duration, line, millis, size, spoken

#: Category -> singular and plural, in the order the page shows them.
CATEGORIES: Final = {
    "video": ("video", "videos"),
    "image": ("image", "images"),
    "audio": ("sound recording", "sound recordings"),
    "document": ("document", "documents"),
    "export": ("chat export", "chat exports"),
    "thumbnail": ("thumbnail made by an export", "thumbnails made by exports"),
    "other": ("other file", "other files"),
}
#: Outcomes in the order the page shows them; others follow.
OUTCOMES: Final = ("absent", "failed", "refused", "not_tried")
_MOST_REASONS: Final = 4


class Fact(msgspec.Struct, frozen=True):
    """One line of the summary; `target` is the HTML id that says more."""

    text: str
    target: str = ""


class Reason(msgspec.Struct, frozen=True):
    """How many things a source names are not in the case for one reason."""

    outcome: str
    reason: str
    number: int
    thumbnails: int = 0


class Summary(msgspec.Struct, frozen=True):
    """The four boxes and the figures above them."""

    figures: tuple[tuple[str, str], ...]
    held: tuple[Fact, ...]
    missing: tuple[Fact, ...]
    unknown: tuple[Fact, ...]
    integrity: tuple[Fact, ...]


def item_category(item: ItemView) -> str:
    """The category an item is counted in: thumbnails of exports apart from pictures."""
    return "thumbnail" if item.role == "thumbnail" else item.category


def summary(data: ReportData, survey: Survey, told: Story) -> Summary:
    """The summary of a case."""
    posts = sum(state != SERVICE for state in survey.states)
    categories = Counter(item_category(item) for item in data.items)
    missing = sum(miss.role != "thumbnail" for miss in data.misses)
    return Summary(
        figures=(
            (f"{len(data.items):,}", "item" if len(data.items) == 1 else "items"),
            (f"{posts:,}", "post" if posts == 1 else "posts"),
            (f"{len(survey.lanes):,}", "channel" if len(survey.lanes) == 1 else "channels"),
            (
                f"{categories['document']:,}",
                CATEGORIES["document"][categories["document"] != 1],
            ),
            (f"{missing:,}", "known missing"),
        ),
        held=(*_held(data, survey, posts, categories), *_examined(told), *_copies(data)),
        missing=_missing(data, survey),
        unknown=_unknown(data, survey, told),
        integrity=_integrity(data),
    )


def reasons(data: ReportData) -> tuple[Reason, ...]:
    """What is missing, grouped: by outcome in fixed order, then by number."""
    grouped = Counter((miss.outcome, miss.reason) for miss in data.misses)
    small = Counter((miss.outcome, miss.reason) for miss in data.misses if miss.role == "thumbnail")
    rank = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    ordered = sorted(
        grouped.items(), key=lambda one: (rank.get(one[0][0], len(rank)), -one[1], one[0])
    )
    return tuple(Reason(*pair, number, small[pair]) for pair, number in ordered)


def categories_in_words(categories: Counter[str]) -> str:
    """Numbers of items by category.

    Example:
        >>> categories_in_words(Counter(video=2, document=1))
        '2 videos, 1 document'
    """
    known = [(name, *words) for name, words in CATEGORIES.items()]
    extra = sorted(set(categories) - set(CATEGORIES))
    known += [(name, f"{line(name, 40)} file", f"{line(name, 40)} files") for name in extra]
    return ", ".join(
        count(categories[name], one, many) for name, one, many in known if categories[name]
    )


def _held(
    data: ReportData, survey: Survey, posts: int, categories: Counter[str]
) -> tuple[Fact, ...]:
    words = categories_in_words(categories)
    items = count(len(data.items), "item") + (f": {words}" if words else "")
    services = sum(state == SERVICE for state in survey.states)
    facts = [
        Fact(f"{items}; {size(data.custody.object_bytes)} in all.", "items"),
        Fact(
            f"{count(posts, 'post')} and {count(services, 'service message')}"
            f" in {count(len(survey.lanes), 'channel')}.",
            "spread",
        ),
    ]
    times = [post.published for post in data.posts if post.kind != SERVICE]
    starts = [one.earliest_utc for one in times if one.earliest_utc]
    ends = [one.latest_utc for one in times if one.latest_utc]
    if starts and ends:
        period = f"{spoken(min(starts))} to {spoken(max(ends))} UTC"
        facts.append(Fact(f"Period of the posts (exporter's claim): {period}.", "spread"))
    earliest = _earliest(data, survey)
    return (*facts, earliest) if earliest else tuple(facts)


def _earliest(data: ReportData, survey: Survey) -> Fact | None:
    """Which post may be the earliest: every one that no other is certain to precede."""
    dated = [
        (span, index)
        for index, span in enumerate(survey.spans)
        if span is not None and survey.states[index] != SERVICE
    ]
    if not dated:
        return None
    first_end = min(span[1] for span, _ in dated)
    candidates = [index for span, index in dated if span[0] <= first_end]
    undated = sum(
        span is None and survey.states[index] != SERVICE for index, span in enumerate(survey.spans)
    )
    more = f"; {count(undated, 'post')} without a known time may be earlier" if undated else ""
    if len(candidates) > 1:
        return Fact(
            f"Earliest post recorded (exporter's claim): cannot tell which of {len(candidates):,}"
            f" posts, since their times overlap{more}.",
            "spread",
        )
    post = data.posts[candidates[0]]
    label = line(survey.lanes[survey.lane_of[candidates[0]]].label, 80)
    return Fact(
        f"Earliest post recorded (exporter's claim): {when(post)}, in {label}{more}.",
        survey.anchors[candidates[0]],
    )


def _missing(data: ReportData, survey: Survey) -> tuple[Fact, ...]:
    grouped = reasons(data)
    facts = [
        Fact(
            f"{one.number:,} {outcome_word(one.outcome)}: {line(one.reason, 160)}"
            f"{_thumbnails(one)}.",
            "absences",
        )
        for one in grouped[:_MOST_REASONS]
    ]
    if grouped[_MOST_REASONS:]:
        left = sum(one.number for one in grouped[_MOST_REASONS:])
        facts.append(Fact(f"{left:,} for other reasons, each listed.", "absences"))
    facts += _gone(data, survey)
    erased = sum(item.erased for item in data.items)
    if erased:
        facts.append(
            Fact(f"{count(erased, 'item')} had the bytes destroyed on purpose.", "custody")
        )
    return tuple(facts) or (Fact("Nothing the sources name is recorded as missing.", "absences"),)


def _thumbnails(reason: Reason) -> str:
    if not reason.thumbnails:
        return ""
    if reason.thumbnails == reason.number:
        return f" ({'a thumbnail' if reason.number == 1 else 'all thumbnails'})"
    return f" (among them {count(reason.thumbnails, 'thumbnail')})"


def _gone(data: ReportData, survey: Survey) -> list[Fact]:
    """The posts whose files are not held: the same files as the lines above, so not to be added."""
    gone = [data.posts[at].id for at, state in enumerate(survey.states) if state == GONE]
    named = {miss.post for miss in data.misses if miss.post is not None}
    known = sum(post in named for post in gone)
    facts = []
    if known:
        names = "names" if known == 1 else "name"
        facts.append(Fact(f"Seen from the posts: {count(known, 'post')} {names} these.", "posts"))
    rest = len(gone) - known
    if rest and named:
        names = "names a file" if rest == 1 else "name files"
        facts.append(
            Fact(f"{count(rest, 'further post')} {names} not held for another reason.", "posts")
        )
    elif rest:
        have = "has no file here" if rest == 1 else "have no file here"
        words = f"Seen from the posts: {count(rest, 'post')} {have} (not to be added to the above)."
        facts.append(Fact(words, "posts"))
    return facts


def _examined(told: Story) -> tuple[Fact, ...]:
    return (Fact(done_sentence(told), "seen"),) if told.is_tried else ()


def _copies(data: ReportData) -> tuple[Fact, ...]:
    if data.trace is None:
        return ()
    clusters = data.trace.clusters
    items = sum(len(one.members) for one in clusters)
    share = "No two items were found to share footage"
    if clusters:
        share = f"{count(items, 'item')} share footage, in {count(len(clusters), 'cluster')}"
    facts = [Fact(f"{share}; {count(data.trace.pairs_compared, 'pair')} compared.", "copies")]
    other = data.trace.verdicts.get(Verdict.SAME_CAMERA_OTHER_MOMENT, 0)
    if other:
        words = (
            f"{count(other, 'pair')} of the same camera at another moment: not the same footage."
        )
        facts.append(Fact(words, "apart"))
    decided = data.trace.decided_total
    if decided:
        was_were = "was" if decided == 1 else "were"
        words = f"{count(decided, 'pair')} of clips {was_were} decided by people."
        facts.append(Fact(words, "decided"))
    return tuple(facts)


def _not_examined(data: ReportData, told: Story) -> list[Fact]:
    """What examining and tracing left open, with the named errors."""
    facts = []
    if told.is_tried and told.problems:
        named = sorted(told.problems.items(), key=lambda one: (-one[1], one[0]))
        words = ", ".join(f"{number:,} {line(name, 60)}" for name, number in named[:_MOST_REASONS])
        more = sum(number for _, number in named[_MOST_REASONS:])
        words += f", {more:,} for other reasons" if more else ""
        facts.append(Fact(f"Not wholly examined: {words}.", "unexamined"))
    decided = data.trace.decided if data.trace else ()
    open_pairs = data.trace.verdicts.get(Verdict.UNDETERMINED, 0) if data.trace else 0
    open_pairs -= sum(one.verdict is Verdict.UNDETERMINED for one in decided)
    if open_pairs > 0:
        is_are = "is" if open_pairs == 1 else "are"
        facts.append(
            Fact(f"{count(open_pairs, 'pair')} of items {is_are} undetermined as copies.", "apart")
        )
    against = sum(bool(one.by_way) for one in decided)
    if against:
        is_are = "is" if against == 1 else "are"
        words = f"{count(against, 'decision')} to keep two clips apart {is_are} contradicted."
        facts.append(Fact(words, "decided"))
    if any(not layers.confined for layers in told.layers):
        facts.append(Fact("Some footage was decoded without confinement.", "seen"))
    return facts


def _unknown(data: ReportData, survey: Survey, told: Story) -> tuple[Fact, ...]:
    loose = [span for span in survey.spans if span is not None and not is_exact(span)]
    undated = sum(span is None for span in survey.spans)
    facts = [Fact(not_done_sentence(told), "limits"), *_not_examined(data, told)]
    if loose:
        widest = max(span[1] - span[0] for span in loose)
        have = "has an uncertain time" if len(loose) == 1 else "have uncertain times"
        facts.append(
            Fact(f"{count(len(loose), 'post')} {have}, by up to {duration(widest)}.", "spread")
        )
    if undated:
        has = "has" if undated == 1 else "have"
        facts.append(Fact(f"{count(undated, 'post')} {has} no known time.", "spread"))
    names = {claim.name for claim in survey.claims}
    elsewhere = sum(name not in survey.named for name in names)
    if elsewhere:
        is_are = "is" if elsewhere == 1 else "are"
        facts.append(
            Fact(
                f"{count(elsewhere, 'source')} that forwards name {is_are} not among the channels"
                " held.",
                "forwards",
            )
        )
    differing = sum(item.media_type.mismatch for item in data.items)
    if differing:
        word = "item’s content differs" if differing == 1 else "items’ contents differ"
        facts.append(Fact(f"{differing:,} {word} from what the name says.", "items"))
    still_open = sum(one.outcome in (None, "interrupted") for one in data.acquisitions)
    if still_open:
        facts.append(
            Fact(
                f"{count(still_open, 'acquisition')} interrupted: cannot tell what was left out.",
                "acquisitions",
            )
        )
    return tuple(facts)


def _integrity(data: ReportData) -> tuple[Fact, ...]:
    custody = data.custody
    number, _, root = custody.checkpoint.partition(":")
    facts = [
        Fact(
            f"Sealed at checkpoint {line(number, 20)}:{line(root, 12)} covering"
            f" {count(custody.checkpoint_size, 'entry', 'entries')}, the last of"
            f" {spoken(custody.last_entry_utc)} UTC.",
            "custody",
        )
    ]
    for one in custody.queued:
        facts.append(Fact(f"Time stamps: {line(one, 200)}.", "window"))
    if custody.outside_anchor is None:
        facts.append(
            Fact("Not checked: no outside anchor, so a rollback is not excluded.", "window")
        )
    else:
        facts.append(Fact(f"Outside anchor: {line(custody.outside_anchor, 120)}.", "window"))
    if custody.clock_steps_back:
        facts.append(
            Fact(f"The clock went back {count(custody.clock_steps_back, 'time')}.", "custody")
        )
    facts.append(Fact("This page checks nothing by itself: run muniment verify.", "check"))
    return tuple(facts)


def outcome_word(outcome: str) -> str:
    """An outcome in words.

    Example:
        >>> outcome_word("not_tried")
        'not tried'
    """
    return line(outcome.replace("_", " "), 40)


def _since_anchor(custody: CustodyView) -> tuple[str, str]:
    """The window where there is an outside anchor."""
    covered = f"the first {count(custody.anchor_size, 'entry', 'entries')}"
    if not custody.beyond_anchor:
        return "none", (
            f"The anchor covers {covered}; all that follows is the record of the stamps themselves."
        )
    if custody.anchor_utc is None or custody.beyond_utc is None:
        return "cannot tell", "The time of the outside anchor is not part of this record."
    length = millis(custody.beyond_utc) - millis(custody.anchor_utc)
    beyond = count(custody.beyond_anchor, "later entry", "later entries")
    why = f"The anchor covers {covered}; {beyond} could have been rewritten and this page not show it."
    if length < 0:
        return "cannot tell", f"{why} The machine’s clock stands behind the anchor’s."
    return duration(length), why


def window(data: ReportData) -> tuple[str, str]:
    """The window since the last outside anchor, to the last entry: its length, and why."""
    custody = data.custody
    length = millis(custody.last_entry_utc) - millis(custody.first_entry_utc)
    if custody.outside_anchor is not None:
        return _since_anchor(custody)
    if length < 0:
        return "cannot tell", "The clock was set back between the first and the last entry."
    why = (
        "No checkpoint of this log is known to be held outside the owner’s control, so the whole"
        " log, from the first entry to the last, could have been rewritten without this page showing"
        " it."
    )
    return duration(length), why
