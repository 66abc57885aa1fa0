"""Inputs that look like secrets where none should be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flownb.core.settings import Input

_NAMED = re.compile(r"passw(or)?d|passphrase|secret|token|credential|(api|access|private|secret)_?key", re.IGNORECASE)
"""What people call secrets."""

_BEGINS = re.compile(r"sk[-_]|[rp]k_live_|gh[opsu]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|eyJ[\w-]+\.|-----BEGIN ")
"""What the keys of well-known services begin with."""

_RANDOM = re.compile(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])\w{20,}")


def revealed(inputs: Mapping[str, Input]) -> Iterator[str]:
    """A warning for each input that seems to hold a secret's value, which then stands in the notebook."""
    for name, given in inputs.items():
        if given.secret is not None and (_BEGINS.match(given.secret) or _RANDOM.fullmatch(given.secret)):
            yield f"input {name!r}: `secret` is the name of a secret, and what stands there looks like its value"
        value = given.value
        if isinstance(value, str) and value and (_BEGINS.match(value) or _NAMED.search(name)):
            yield (
                f"input {name!r} looks like a secret, and stands in the notebook for all to read: "
                "declare it as {secret: NAME}"
            )
