"""The one way a worker says that an object cannot be examined, or no further."""

from __future__ import annotations

from muniment.errors import MalformedError
from muniment.model.examine import Problem


class UnexaminableError(MalformedError):
    """An object that cannot be examined (further): which problem, and one clause about it.

    Raised and caught within a worker; only the problem and the detail cross to the host.
    """

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail or problem.value)
        self.problem = problem
        self.detail = detail
