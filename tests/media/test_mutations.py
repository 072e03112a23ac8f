"""A sample of the mutations: the worker says one clear line of each."""

from __future__ import annotations

from tests.media.mutations import line, mutants
from tests.media.running import forked


def test_a_sample_of_mutants() -> None:
    for name, mutation, data, kind in mutants(60, seed=7):
        assert line(forked(data, kind)), (name, mutation)
