"""What Tab offers: the words of ``%flownb``, and the names of steps and exports behind ``pd.steps`` and ``pd.context``.

Of ``pd`` itself, IPython knows enough: it sees the types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult

from flownb.authoring.words import words
from flownb.kernel.pd import Pd
from flownb.kernel.record import Record

_KEY = r"""\[(?:"[^"\n]*"|'[^'\n]*')\]"""
_PATH = re.compile(rf"""([^\W\d]\w*)((?:\.[^\W\d]\w*|{_KEY})*)(?:\.(\w*)|\[(["'])([^"'\n]*))$""")
_PART = re.compile(rf"\.(\w+)|({_KEY})")
METHODS = ("get", "items", "keys", "values")


def matches(context: Any, names: Mapping[str, object]) -> SimpleMatcherResult:
    """What may stand at the cursor, where that is in a line of the magic or behind a record of ``pd``; else nothing."""
    line = context.text_until_cursor.lstrip()
    if line.startswith("%flownb "):
        begun = line.split(" ")[-1]
        offered = [SimpleCompletion(word, type="magic") for word in words(line) if word.startswith(begun)]
        return SimpleMatcherResult(completions=offered, matched_fragment=begun, suppress=bool(offered), ordered=True)
    return _records(context.text_until_cursor, names)


def _records(text: str, names: Mapping[str, object]) -> SimpleMatcherResult:
    found = _PATH.search(text)
    value = _value(names.get(found[1]), found[2]) if found else None
    if found is None or not isinstance(value, Record):
        return SimpleMatcherResult(completions=[])
    quote, begun = found[4], found[5] if found[4] else found[3]
    names_here = [name for name in value.__dir__() if not hasattr(Record, name) and not name.startswith("_")]
    if quote:
        keys = dict.fromkeys([*value, *(name for name in names_here if name in value)])
        offered = [SimpleCompletion(f"{key}{quote}]", type="key") for key in keys if key.startswith(begun)]
    else:
        offered = [SimpleCompletion(name, type="property") for name in names_here if name.startswith(begun)]
        offered += [SimpleCompletion(name, type="function") for name in METHODS if name.startswith(begun)]
    return SimpleMatcherResult(completions=offered, matched_fragment=begun, suppress=True, ordered=True)


def _value(of: object, path: str) -> object:
    """What the path leads to, from ``pd`` or a record: reading those runs no code of the author's."""
    for part in _PART.finditer(path):
        if isinstance(of, Record):
            of = _item(of, part[1] or part[2][2:-2])
        elif isinstance(of, Pd) and part[1] in dir(of):
            of = getattr(of, part[1])
        else:
            return None
    return of


def _item(of: Record, name: str) -> object:
    """An entry of a record, or what one of its attributes stands for."""
    return of.get(name, of.get(of.optional.get(name, name)))
