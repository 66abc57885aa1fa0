"""Every parser of public input takes whatever comes; `python -m benchmarks.fuzz` tries it for longer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.targets import SEEDS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_is_too_much(name: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.one_of(st.binary(max_size=300), st.sampled_from(SEEDS[name]).flatmap(damaged)))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    for seed in (b"", *SEEDS[name]):
        TARGETS[name](seed)
    run()


def damaged(seed: bytes) -> st.SearchStrategy[bytes]:
    """What is right, with something in its midst."""
    places = st.integers(0, len(seed))
    return st.builds(lambda at, to, what: seed[:at] + what + seed[to:], places, places, st.binary(max_size=8))
