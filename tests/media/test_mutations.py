"""A sample of the mutations: the worker says one clear line of each."""

from __future__ import annotations

import pytest

from muniment.model.examine import Problem
from tests.media.mutations import line, mutants
from tests.media.running import Confined, forked


def test_a_sample_of_mutants() -> None:
    for name, mutation, data, kind in mutants(60, seed=7):
        assert line(forked(data, kind)), (name, mutation)


@pytest.mark.slow
def test_two_thousand_mutants_in_the_sandbox() -> None:
    confined, killed = Confined(), 0
    try:
        for name, mutation, data, kind in mutants(2_000, seed=1):
            found = confined(data, kind)
            assert line(found), (name, mutation)
            killed += found.problem is Problem.KILLED
    finally:
        confined.close()
    assert killed < 20, "a decoder's crash is one file's end, and rare"
