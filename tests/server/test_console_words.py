"""The words of the console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flownb.server.console.words import LONGEST_JSON, pretty


class Counted(list[Any]):
    """Counts what is read of it."""

    read = 0

    def __iter__(self) -> Iterator[Any]:
        for one in super().__iter__():
            self.read += 1
            yield one


def test_of_a_long_value_no_more_is_written_than_is_shown() -> None:
    long = Counted(range(1_000_000))
    shown = pretty({"numbers": long})
    assert shown.startswith('{\n  "numbers": [\n    0,\n    1,')
    assert shown.endswith("\n… and more")
    assert len(shown) < LONGEST_JSON + 20
    assert long.read < LONGEST_JSON
    assert pretty({"größe": [1, None]}) == '{\n  "größe": [\n    1,\n    null\n  ]\n}'
