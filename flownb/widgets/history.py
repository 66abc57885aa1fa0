"""An execution in words: its head, and its pauses with who decided what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from flownb.core.words import in_words
from flownb.widgets.markup import badge, link, text

ENDED = {"resume": "approved", "cancel": "cancelled", "timer": "by its timer", "void": "without effect"}


def head(execution: Mapping[str, Any], in_lab: Callable[[str], str]) -> str:
    """What an execution is, how it stands and since when; ``in_lab`` tells where JupyterLab shows a file."""
    over = execution["finished_at"]
    facts = [f"started {in_words(execution['created_at'])}"]
    facts += [f"ended {in_words(over)}"] if over else []
    facts += [f"credits {execution['credits']}"]
    facts += [f"replay of {execution['replay_of']}"] if execution["replay_of"] else []
    facts += [f"reason: {execution['reason']}"] if execution["reason"] else []
    done = sum(step["status"] == "succeeded" for step in execution["steps"])
    total = len(execution["steps"])
    notebook = execution["executed_notebook"]
    return "".join(
        [
            f"<div>{text(execution['workflow'], 'name', tag='b')} {text(execution['id'], tag='code')} ",
            f"{badge(execution['status'])}</div>",
            f'<div><progress max="{total}" value="{done}" aria-label="Steps that are done"></progress> ',
            f"{done} of {total} steps</div>",
            text(" · ".join(facts), "dim"),
            f"<div>{link('Executed notebook', in_lab(notebook))}</div>" if notebook else "",
            *(text(f"Note: {warning}", "dim") for warning in execution["warnings"]),
        ]
    )


def pauses(found: list[Mapping[str, Any]]) -> str:
    """Every pause that there was; nothing where there was none."""
    if not found:
        return ""
    titles = "".join(f"<th>{title}</th>" for title in ("Step", "Pause", "Since", "Ended"))
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _pause(pause))}</tr>" for pause in found)
    return f"<details><summary>Pauses ({len(found)})</summary><table><tr>{titles}</tr>{rows}</table></details>"


def _pause(pause: Mapping[str, Any]) -> tuple[str, str, str, str]:
    step = f"{pause['step']}, run {pause['run']}" if pause["run"] > 1 else pause["step"]
    what = f"{pause['kind']}: {pause['reason']}" if pause["reason"] else pause["kind"]
    return step, what, in_words(pause["since"]), _end(pause)


def _end(pause: Mapping[str, Any]) -> str:
    if pause["ended_at"] is None:
        return "not yet"
    decision = pause["decision"]
    said = ENDED.get(pause["ended_by"], pause["ended_by"] or "")
    if decision is None:
        return f"{said} on {in_words(pause['ended_at'])}"
    by = decision["by"] or decision["user"] or f"somebody ({decision['via']})"
    comment = f": {decision['comment']}" if decision["comment"] else ""
    return f"{said} by {by} on {in_words(decision['at'])}{comment}"
