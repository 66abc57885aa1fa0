"""What an ordinary notebook holds: one record per kind of object, for the tests and for the table in the docs.

``python -m tests.kernel.kinds`` writes the table into ``docs/variables.md`` again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent

PAGE = Path(__file__).parents[2] / "docs" / "variables.md"
BEGIN, END = "<!-- the table: written by tests/kernel/kinds.py -->\n", "<!-- the end of the table -->\n"

KEPT, ANEW, PLACEHOLDER = "kept", "made anew", "placeholder"


@dataclass(frozen=True)
class Kind:
    """A kind of object: the ``cell`` that makes it, and the ``truths``, expressions that hold after a restore.

    ``lost`` are the expressions of which each use raises, and ``partly`` the variables that come back with a gap.
    """

    title: str
    cell: str
    truths: tuple[str, ...]
    outcome: str = KEPT
    remark: str = ""
    lost: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()
    theme: str = ""


def kept(title: str, cell: str, truths: str, remark: str = "") -> Kind:
    """An object that comes back as it was; one truth a line."""
    return Kind(title, dedent(cell), _lines(truths), KEPT, remark)


def anew(title: str, cell: str, truths: str, remark: str = "") -> Kind:
    """An object that comes back usable, but not in the state it was in."""
    return Kind(title, dedent(cell), _lines(truths), ANEW, remark)


def lost(title: str, cell: str, names: str, truths: str = "", remark: str = "", partly: str = "") -> Kind:
    """An object that a placeholder stands for; ``names`` are the expressions for it."""
    return Kind(title, dedent(cell), _lines(truths), PLACEHOLDER, remark, tuple(names.split()), tuple(partly.split()))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in dedent(text).splitlines() if line.strip())


def all_kinds() -> list[Kind]:
    """Every kind, with its theme, in the order of the page."""
    from . import kinds_classes, kinds_data, kinds_language, kinds_process, kinds_science, kinds_tools

    themes: dict[str, list[Kind]] = {}
    for module in (kinds_data, kinds_language, kinds_classes, kinds_tools, kinds_science, kinds_process):
        themes |= module.THEMES
    return [replace(kind, theme=theme) for theme, kinds in themes.items() for kind in kinds]


def table() -> str:
    """The kinds as Markdown, a table for each theme."""
    lines: list[str] = []
    theme = ""
    for kind in all_kinds():
        if kind.theme != theme:
            theme = kind.theme
            lines += ["", f"### {theme}", "", "| kind | what comes back | remark |", "|---|---|---|"]
        lines.append(f"| {kind.title} | {kind.outcome} | {kind.remark} |")
    return "\n".join([*lines, "", ""])


def page(text: str) -> str:
    """The page ``text`` with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
