"""The secrets of links."""

from __future__ import annotations

import re
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from flownb.core.links import fingerprint, token, tokens
from flownb.core.model import Action, Attempt

KEY = b"k" * 32
FIRST = Attempt("step", 1, 1)


def test_a_token_is_256_bits_that_fit_into_a_url() -> None:
    assert re.fullmatch(r"[\w-]{43}", token(KEY, "execution", FIRST, Action.RESUME), re.ASCII)


def test_a_token_is_the_same_whenever_it_is_made() -> None:
    assert token(KEY, "execution", FIRST, Action.RESUME) == tokens(KEY, "execution", FIRST)[Action.RESUME]


def test_tokens_differ_by_all_that_they_belong_to() -> None:
    groups = [
        tokens(KEY, "execution", FIRST),
        tokens(KEY, "execution", Attempt("step", 2, 1)),
        tokens(KEY, "execution", Attempt("step", 1, 2)),
        tokens(KEY, "execution", Attempt("other", 1, 1)),
        tokens(KEY, "another", FIRST),
        tokens(b"other key", "execution", FIRST),
    ]
    assert all(set(group) == set(Action) for group in groups)
    everything = list(chain.from_iterable(group.values() for group in groups))
    assert len(set(everything)) == len(everything) == 18


def test_parts_of_a_token_cannot_be_shifted_into_one_another() -> None:
    assert token(KEY, 'a","b', FIRST, Action.RESUME) != token(KEY, "a", Attempt('b","step', 1, 1), Action.RESUME)


@given(st.text() | st.text("a\ud800\udfff"))
def test_whatever_stands_in_a_url_has_a_fingerprint(said: str) -> None:
    assert len(fingerprint(said)) == 32
    assert fingerprint(said) != fingerprint(said + "x")
