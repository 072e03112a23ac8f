"""What became of examining the items: one item in a word, all of them in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.examine import worst
from muniment.model.report import ItemView, ReportData
from muniment.model.report_seen import ConfinementView
from muniment.report.wording import line

#: What became of an item, in words.
EXAMINED_WORDS: Final = {
    "done": "examined",
    "partly": "examined in part",
    "failed": "could not be examined",
    "not_tried": "not tried",
}


def outcome_of(item: ItemView) -> str:
    """`done`, `partly`, `failed` or `not_tried`; "" for an item that no examiner is made for."""
    return worst({one.outcome for one in item.examined}) if item.examined else ""


def problems_of(item: ItemView) -> tuple[str, ...]:
    """The named errors its examinations ended with, each once, in order."""
    named = (one.problem for one in item.examined if one.outcome in ("failed", "partly"))
    return tuple(dict.fromkeys(one for one in named if one))


def examined_word(item: ItemView) -> str:
    """The same in words, with the named errors; "" for an item that no examiner is made for."""
    word = EXAMINED_WORDS.get(outcome_of(item), "")
    why = ", ".join(line(one, 60) for one in problems_of(item)[:3])
    return f"{word}: {why}" if word and why else word


class Unexamined(msgspec.Struct, frozen=True):
    """An item that was not examined wholly: what became of it, and why, in words."""

    id: str
    name: str
    outcome: str
    reasons: tuple[str, ...]


def unexamined(items: Sequence[ItemView]) -> tuple[Unexamined, ...]:
    """Those of the items that an examiner is made for and that were not examined wholly."""
    found = []
    for item in items:
        outcome = outcome_of(item)
        if outcome in ("", "done"):
            continue
        told = ((one.problem, one.detail) for one in item.examined if one.outcome != "done")
        # The examiners of one pass mostly say the same.
        reasons = dict.fromkeys(_why(*pair) for pair in told if any(pair))
        name = item.circumstances[0].path if item.circumstances else item.id
        found.append(Unexamined(item.id, line(name, 1000), EXAMINED_WORDS[outcome], tuple(reasons)))
    return tuple(found)


def _why(problem: str, detail: str) -> str:
    """A named error and its detail, which may begin with the name."""
    is_said = problem and detail.startswith(problem)
    return ": ".join(line(part, 300) for part in ("" if is_said else problem, detail) if part)


class Story(msgspec.Struct, frozen=True):
    """What was done with the items, in numbers; an item's outcome is the worst of its examiners'.

    `problems` counts items by the named error, `read` the documents whose text was read.
    """

    outcomes: Counter[str]
    problems: Counter[str]
    read: int
    is_traced: bool
    layers: tuple[ConfinementView, ...]

    @property
    def is_tried(self) -> bool:
        """Whether anything was examined at all."""
        return bool(self.outcomes["done"] + self.outcomes["partly"] + self.outcomes["failed"])


def story(data: ReportData) -> Story:
    """One pass over the items."""
    outcomes: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    read = 0
    layers: dict[ConfinementView, None] = {}
    for item in data.items:
        read += item.text is not None
        if not item.examined:
            continue
        worst = outcome_of(item)
        outcomes[worst] += 1
        problems.update(problems_of(item))
        if item.confinement is not None and worst != "not_tried":
            layers.setdefault(item.confinement)
    return Story(
        outcomes,
        problems,
        read,
        data.trace is not None,
        tuple(layers),
    )


def done_sentence(told: Story) -> str:
    """What was decoded and looked for."""
    if not told.is_tried:
        return "No footage was decoded; copies, place and time have not been examined."
    tried = told.outcomes
    words = [f"{tried['done']:,} examined wholly"]
    words += [f"{tried['partly']:,} in part"] if tried["partly"] else []
    words += [f"{tried['failed']:,} could not be examined"] if tried["failed"] else []
    words += [f"{tried['not_tried']:,} not tried"] if tried["not_tried"] else []
    return f"Of {count(sum(tried.values()), 'item')} that can be examined: {', '.join(words)}."


def not_done_sentence(told: Story) -> str:
    """What nothing on this page rests on."""
    if not told.is_tried:
        return done_sentence(told)
    left = [] if told.is_traced else ["copies"]
    return f"{', '.join([*left, 'place']).capitalize()} and time have not been examined."


def untried(told: Story) -> str:
    """What was attempted for no item, in words."""
    words = [] if told.is_tried else ["decoding footage"]
    words += [] if told.is_traced else ["looking for copies"]
    words += ["establishing place and time"]
    words += ["reading statements in documents" if told.read else "reading documents"]
    return "; ".join(words)


def confinement_sentence(layers: ConfinementView) -> str:
    """Which layers were in force when a file was decoded.

    Example:
        >>> confinement_sentence(ConfinementView(False, reason="asked for by the user"))
        'Decoded without confinement (asked for by the user).'
    """
    reason = f" ({line(layers.reason, 300)})" if layers.reason else ""
    if not layers.confined:
        return f"Decoded without confinement{reason}."
    abi = layers.landlock_abi
    parts = [
        f"system-call filter (seccomp): {_yes(layers.seccomp)}",
        f"file-system rules (Landlock): {f'ABI {abi}' if abi else 'not in force'}",
        f"no new privileges: {_yes(layers.no_new_privs)}",
        f"limits on memory, time and output: {_yes(layers.limits)}",
    ]
    if layers.namespaces:
        parts.append(f"namespaces: {line(layers.namespaces, 200)}")
    return f"Decoded in confinement. Measured in force: {'; '.join(parts)}{reason}."


def _yes(is_in_force: bool) -> str:
    return "in force" if is_in_force else "not in force"
