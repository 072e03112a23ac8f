"""The figures of a run as Markdown tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.measure import ceil, floor
from benchmarks.trace.build import COPY, NEGATIVES, OTHER, REAL, SAME_CAMERA, Built
from benchmarks.trace.copies import RECIPES
from benchmarks.trace.figures import (
    Method,
    Scored,
    false_called,
    highest_false,
    micro_ap,
    offset_error_s,
    overlap,
    recall_above,
    recall_called,
    scenes,
    upper_bound,
)
from benchmarks.trace.peers import Missing
from muniment.model.trace import Verdict

_NOTE: Final = (
    "Recall *as set*: at each method's own setting. *0 false*: with the threshold just above its "
    "highest false pair of this same set. *0 false, other footage alone*: the same where only pairs of "
    "unrelated footage count as false and all hard kinds below are left out."
)

_SHOWN: Final = (
    Verdict.SAME_FOOTAGE,
    Verdict.UNDETERMINED,
    Verdict.SAME_CAMERA_OTHER_MOMENT,
    Verdict.NO_MATCH,
)
_ORDER: Final = (
    Verdict.SAME_FOOTAGE,
    Verdict.SAME_CAMERA_OTHER_MOMENT,
    Verdict.UNDETERMINED,
    Verdict.NO_MATCH,
)


def methods(
    every: Sequence[Method | Missing], built: Built, minutes: float, hd_minutes: float
) -> list[str]:
    """One line a method."""
    out = [
        "| method | setting | recall, as set | false pairs, as set | recall, 0 false | "
        "0 false, other footage alone | uAP | offset error, median / p90 | IoU | "
        "CPU s a minute | ... of 700 lines or more | matching, CPU s |",
        "|---" * 12 + "|",
    ]
    for one in every:
        if isinstance(one, Missing):
            out.append(f"| {one.name} | not run: {one.why} |" + " - |" * 10)
            continue
        limit = highest_false(one.pairs)
        cells = (
            one.name,
            one.setting,
            floor(recall_called(one.pairs), 3),
            f"{len(false_called(one.pairs)):,}",
            f"{floor(recall_above(one.pairs, limit), 3)} (> {limit:.3f})",
            floor(recall_above(one.pairs, highest_false(one.pairs, (OTHER,))), 3),
            floor(micro_ap(one.pairs), 3),
            *_placed(one, built),
            ceil(one.hashing_cpu_s / minutes, 2),
            ceil(one.hd_cpu_s / hd_minutes, 2) if hd_minutes else "-",
            ceil(one.matching_cpu_s, 1),
        )
        out.append("| " + " | ".join(cells) + " |")
    return [*out, "", _NOTE]


def _placed(one: Method, built: Built) -> tuple[str, str]:
    """Offset error and overlap of the copies that are called copies and whose truth is known."""
    errors, overlaps = list[float](), list[float]()
    for pair in one.pairs:
        query = built.queries.get(pair.query)
        if pair.kind == COPY and pair.called and pair.segments and query and query.stretch:
            errors.append(offset_error_s(pair.segments, query.stretch))
            overlaps.append(overlap(pair.segments, query.stretch))
    if not errors:
        return "-", "-"
    middle, most = np.median(errors), np.quantile(errors, 0.9)
    return f"{ceil(middle, 3)} / {ceil(most, 3)} s", floor(float(np.mean(overlaps)), 3)


def by_transform(every: Sequence[Method | Missing]) -> list[str]:
    """Recall of each transform: ours as set, peers above their highest pair of other footage."""
    measured = [one for one in every if isinstance(one, Method)]
    first, *others = measured
    names = [
        f"{first.name}, as set",
        "not told",
        *(f"{one.name}, 0 false of other footage" for one in others),
    ]
    out = ["| transform | n | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    limits = [highest_false(one.pairs, (OTHER,)) for one in measured]
    for name, told in [*((one.name, one.told) for one in RECIPES), (REAL, "others' own versions")]:
        rows = [
            [p for p in one.pairs if p.kind == COPY and p.transform == name] for one in measured
        ]
        if not rows[0]:
            continue
        unsure = sum(pair.verdict == Verdict.UNDETERMINED for pair in rows[0]) / len(rows[0])
        cells = [floor(recall_called(rows[0]), 2), f"{unsure:.2f}"]
        above = zip(rows[1:], limits[1:], strict=True)
        cells += [floor(recall_above(row, limit), 2) for row, limit in above]
        out.append(f"| {told} (`{name}`) | {len(rows[0])} | " + " | ".join(cells) + " |")
    return [*out, "", "*Not told*: share called `undetermined` by us."]


def by_material(ours: Method, built: Built) -> list[str]:
    """Our recall of the copies of each source."""
    out = ["| source | n | same footage | not told | other moment | no match |", "|---" * 6 + "|"]
    for name in built.sources:
        verdicts = [
            pair.verdict for pair in ours.pairs if pair.kind == COPY and pair.reference == name
        ]
        if verdicts:
            shares = [verdicts.count(one.value) / len(verdicts) for one in _SHOWN]
            cells = " | ".join(f"{share:.2f}" for share in shares)
            out.append(f"| {name} | {len(verdicts)} | {cells} |")
    return out


def by_negative(every: Sequence[Method | Missing]) -> list[str]:
    """What pairs that are no copies were called."""
    measured = [one for one in every if isinstance(one, Method)]
    first, *others = measured
    names = ["same footage", "other moment", "undetermined", "no match"]
    names += [f"{one.name}: false, as set" for one in others]
    out = [
        "| pairs that are no copies | n | scenes | " + " | ".join(names) + " |",
        "|---" * (len(names) + 3) + "|",
    ]
    for kind in NEGATIVES:
        rows = [pair for pair in first.pairs if pair.kind == kind]
        if not rows:
            continue
        counts = Counter(pair.verdict for pair in rows)
        cells = [f"{counts[one.value]:,}" for one in _ORDER]
        cells += [f"{len(false_called(one.pairs, kind)):,}" for one in others]
        alone = len(scenes(rows, kind))
        out.append(f"| {kind} | {len(rows):,} | {alone} | " + " | ".join(cells) + " |")
    return out


def sentences(ours: Method, proposed: float) -> list[str]:
    """What the tables do not hold: undetermined, the same camera by scene, what was false."""
    copies = [pair for pair in ours.pairs if pair.kind == COPY]
    counts = Counter(pair.verdict for pair in copies)
    share = {verdict: counts[verdict.value] / max(1, len(copies)) for verdict in Verdict}
    moments = [pair for pair in ours.pairs if pair.kind == SAME_CAMERA]
    wrong = false_called(ours.pairs, SAME_CAMERA)
    tried, failed = len(scenes(moments)), len(scenes(wrong))
    out = [
        f"Copies: {len(copies)}. The search proposes {floor(proposed, 3)} of the true pairs.",
        f"Undetermined of true pairs: {ceil(share[Verdict.UNDETERMINED], 3)}; called another moment: "
        f"{ceil(share[Verdict.SAME_CAMERA_OTHER_MOMENT], 3)}; no match: "
        f"{ceil(share[Verdict.NO_MATCH], 3)}.",
        f"Same camera, other moment: {len(wrong)} of {len(moments):,} pairs called the same footage, in "
        f"{failed} of {tried} scenes; upper 95 % bound of the share of scenes: "
        f"{ceil(upper_bound(failed, tried), 3)}.",
    ]
    false = false_called(ours.pairs)
    return out + [
        f"FALSE: {one.kind}: {one.query} / {one.reference}, {one.score:.3f}" for one in false
    ]


def whole(
    every: Sequence[Method | Missing],
    built: Built,
    minutes: float,
    decode: tuple[float, float],
    hd_minutes: float,
    proposed: float,
) -> str:
    """All tables of a run.

    Args:
        every: ours first.
        decode: CPU seconds of plain decoding of all files, and of those of many lines.
    """
    ours = next(one for one in every if isinstance(one, Method))
    head = (
        f"{len(built.references)} references, {len(built.queries)} copies of "
        f"{len({one.source for one in built.queries.values()})} sources, {minutes:.1f} min. "
        f"Plain PyAV decode, 1 thread: {decode[0] / minutes:.2f} CPU s a minute"
    )
    if hd_minutes:
        head += f"; of {hd_minutes:.2f} min of 700 lines or more {decode[1] / hd_minutes:.2f}"
    parts = [
        [head + "."],
        methods(every, built, minutes, hd_minutes),
        sentences(ours, proposed),
        by_transform(every),
        by_material(ours, built),
        by_negative(every),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def listed(pairs: Sequence[Scored]) -> list[str]:
    """True pairs that were not found, for whoever works on the tracer."""
    return [
        f"{one.query}: {one.verdict} {one.score:.3f}"
        for one in pairs
        if one.kind == COPY and not one.called
    ]
