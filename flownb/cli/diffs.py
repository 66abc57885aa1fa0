"""What changed between two versions, in colours."""

from __future__ import annotations

from rich.text import Text

STYLES = {"+": "green", "-": "red", "@": "cyan"}
HEADINGS = ("cell ", "setting ", "kernelspec: ")


def diff_lines(text: str) -> list[Text]:
    """The lines of a diff's ``text``."""
    return [_line(line) for line in text.splitlines()]


def _line(line: str) -> Text:
    if line.startswith(HEADINGS):
        return Text(line, "bold")
    return Text(line, STYLES.get(line[:1], ""))
