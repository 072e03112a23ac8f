"""Muniment: footage of an alleged crime, and what is said about it, as a case a court can test.

>>> import muniment
>>> verdict = muniment.verify("a-case")       # doctest: +SKIP
>>> [check.name for check in verdict.checks if check.status == "fail"]  # doctest: +SKIP
[]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muniment.case.facade import Case, verify
    from muniment.errors import MunimentError

__version__ = "0.1.0"
__all__ = ["Case", "MunimentError", "__version__", "verify"]

_HOMES = {
    "Case": "muniment.case.facade",
    "MunimentError": "muniment.errors",
    "verify": "muniment.case.facade",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that the command line starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'muniment' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
