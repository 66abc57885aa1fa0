"""``%flownb check``: what is wrong with a notebook, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from flownb.authoring.files import Plain
from flownb.core.check import Finding, findings

COLOURS = {"error": "var(--jp-error-color1, #b3261e)", "warning": "var(--jp-warn-color1, #8a5300)"}
CELL = 'style="text-align: left; vertical-align: top; white-space: normal; padding: 2px 16px 2px 0"'


@dataclass(frozen=True)
class Findings:
    """What was found in a file, to be displayed."""

    title: str
    found: list[Finding]

    def __repr__(self) -> str:
        lines = [f"{one.level:8} {_place(one)}: {one.message}" for one in self.found]
        return "\n".join([f"{self.title}: {self._count}", *lines])

    def _repr_html_(self) -> str:
        head = f"<b>{escape(self.title)}</b>: {self._count}"
        rows = "".join(_row(one) for one in self.found)
        header = "".join(f'<th scope="col" {CELL}>{name}</th>' for name in ("Where", "What", "Why"))
        return head + (f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>" if rows else "")

    @property
    def _count(self) -> str:
        if not self.found:
            return "no findings"
        return f"{len(self.found)} finding{'s' if len(self.found) > 1 else ''}"


def check(path: Path) -> Findings:
    """What is wrong with the notebook as it was saved last; raises ``Plain`` where it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Plain(f"{path} cannot be read: {error}") from None
    return Findings(saved(path), findings(text, KernelSpecManager().find_kernel_specs()))


def saved(path: Path) -> str:
    """A file and when it was saved: what was typed since is not in it."""
    at = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    return f"{path.name}, saved {at:%a %d %b %Y, %H:%M:%S %Z}"


def _row(finding: Finding) -> str:
    level = f'<b style="color: {COLOURS[finding.level]}">{finding.level}</b>'
    values = (escape(_place(finding)), level, escape(finding.message))
    return "<tr>" + "".join(f"<td {CELL}>{value}</td>" for value in values) + "</tr>"


def _place(finding: Finding) -> str:
    if finding.cell is None:
        return "notebook"
    return f"cell {finding.cell}{f' ({finding.step})' if finding.step else ''}"
