"""Results of tracing as the log keeps them: `trace.results`' object, with how much was compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from muniment.errors import IntegrityError, MalformedError
from muniment.model import canonical
from muniment.model.trace import Pair
from muniment.trace import results

STEP: Final = "trace"
_COMPARED: Final = "compared"


def told(query: str, pairs: Iterable[Pair], compared: int) -> dict[str, Any]:
    """The result value of one clip.

    Args:
        pairs: those that share picture.
        compared: how many clips it was held against.
    """
    value: dict[str, Any] = canonical.decode(results.result(query, pairs))
    return value | {_COMPARED: compared}


def pairs(value: Any) -> tuple[Pair, ...]:
    """The pairs of a result value.

    Raises:
        IntegrityError: if it is none of ours.
    """
    try:
        rest = {name: part for name, part in value.items() if name != _COMPARED}
        return results.parsed(canonical.encode(rest))[1]
    except (MalformedError, AttributeError) as error:
        raise IntegrityError(
            f"is no result of tracing ({error})",
            subject="observation.made",
            remedy="Another program wrote this entry; see docs/format.md.",
        ) from error


def named(value: Any) -> set[str]:
    """Objects that a result value names."""
    return {name for one in pairs(value) for name in (one.a, one.b)}
