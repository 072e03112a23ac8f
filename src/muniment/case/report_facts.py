"""An examiner's facts as lines for the report: a group, a label, a value with its unit."""

from __future__ import annotations

from typing import Any, Final

from muniment.model.report_seen import MOST_FACTS, FactView

_UNITS: Final = {
    "s": "s",
    "ms": "ms",
    "px": "px",
    "deg": "°",
    "bytes": "bytes",
    "hz": "Hz",
    "bps": "bits a second",
    "fps": "frames a second",
    "utc": "UTC",
    "m": "m",
}
#: Facts of this ending say what contradicts what: they stand first.
_DISAGREE: Final = "_disagree"
#: In a list of records, what says of whom or what the rest is told.
_NAMES: Final = ("of", "source", "name")
_MOST_CHARACTERS: Final = 300


def fact_views(facts: dict[str, Any]) -> tuple[FactView, ...]:
    """Facts as lines, those that contradict each other first, at most `MOST_FACTS`.

    Example:
        >>> [(one.label, one.value) for one in fact_views({"duration_s": "12.480", "hidden": False})]
        [('duration', '12.480 s'), ('hidden', 'no')]
    """
    found: list[FactView] = []
    for name, value in facts.items():
        if name.endswith(_DISAGREE) and value:
            label = _words(name.removesuffix(_DISAGREE))
            for one in value if isinstance(value, list) else [value]:
                found.append(FactView("Disagreements", label, _value("", one), "each other"))
    _walk(found, "", {name: facts[name] for name in facts if not name.endswith(_DISAGREE)})
    return tuple(found[:MOST_FACTS])


def _walk(found: list[FactView], group: str, facts: dict[str, Any]) -> None:
    """Plain values first, then what is nested, each under its own heading."""
    for name, value in facts.items():
        if not _is_nested(value) and value not in (None, "", [], {}):
            label, text = _named(name, value)
            found.append(FactView(group or "File", label, text))
    for name, value in facts.items():
        heading = f"{group}: {_words(name)}" if group else _words(name).capitalize()
        if isinstance(value, dict) and value:
            _walk(found, heading, value)
        elif _is_nested(value):
            for number, one in enumerate(value, 1):
                of = next((name for name in _NAMES if name in one), None)
                rest = [name for name in one if name != of]
                if of and len(rest) == 1 and not _is_nested(one[rest[0]]):
                    text = _value(_UNITS.get(rest[0], ""), one[rest[0]])
                    found.append(FactView(heading, str(one[of]), text))
                else:
                    _walk(found, f"{heading} {number}", one)
        if len(found) > MOST_FACTS:
            return


def _is_nested(value: Any) -> bool:
    """A record, or a list of records."""
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
    )


def _named(name: str, value: Any) -> tuple[str, str]:
    stem, _, unit = name.rpartition("_")
    if stem and unit in _UNITS:
        return _words(stem), _value(_UNITS[unit], value)
    return _words(name), _value("", value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(unit: str, value: Any) -> str:
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = ", ".join(_value("", one) for one in value)
    elif isinstance(value, dict):
        text = "; ".join(f"{_words(name)}: {_value('', one)}" for name, one in value.items())
    else:
        text = str(value)
    text = f"{text} {unit}" if unit and text else text
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
