"""An execution told in lines: what it is, and what has come about between two looks at it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from rich.text import Text

from flownb.cli.style import COLOURS, SIGNS
from flownb.core.words import approvals_in_words, deadline, run_counter, span

Execution = dict[str, Any]

OVER = ("succeeded", "failed", "skipped", "cancelled")
LONGEST_VALUE = 60
TOO_SHORT = timedelta(seconds=10)
"""Nobody opens a link that works for less, so a step that polls prints none."""


def summary(execution: Execution) -> Text:
    """One line on the whole: status, workflow, what it took."""
    status = execution["status"]
    text = Text.assemble((f"{SIGNS[status]} {status}", f"bold {COLOURS[status]}"))
    if execution["reason"]:
        text.append(f" ({execution['reason']})", COLOURS[status])
    text.append(f"  {execution['workflow']}  {execution['id']}")
    took = [f"computed {_seconds(execution['compute_ms'])}", f"waited {_seconds(execution['suspended_ms'])}"]
    took += [f"{execution[key]} {key if execution[key] != 1 else key[:-1]}" for key in ("segments", "credits")]
    return text.append(f"  {' · '.join(took)}", "dim")


def step_line(step: dict[str, Any]) -> Text:
    """One line on a step: status, name, time, result."""
    status = step["status"]
    text = Text.assemble(("  ", ""), (f"{SIGNS[status]} ", COLOURS[status]), step["name"])
    if step["runs"] > 1:
        text.append(f"  run {step['runs']}", "dim")
    if step["runs"]:
        text.append(f"  {_seconds(step['compute_ms'])}", "dim")
    if step["error"]:
        text.append(f"  {step['error']['ename']}: {step['error']['evalue']}", "red")
    elif "$return_value" in step["exports"]:
        text.append(f"  → {_short(step['exports']['$return_value'])}", "dim")
    return text


def pause_lines(execution: Execution, now: datetime) -> Iterator[Text]:
    """What an execution waits for, how to go on and what happens otherwise."""
    waiting = execution["waiting"]
    text = Text.assemble((f"  {SIGNS['suspended']} ", "yellow"), waiting["step"], ("  waits", "yellow"))
    if counter := run_counter(waiting):
        text.append(f"  {counter}", "dim")
    if waiting["reason"]:
        text.append(f"  {waiting['reason']}", "bold")
    left = datetime.fromisoformat(waiting["wakes_at"]) - now
    if not waiting["review_url"] or (waiting["kind"] != "suspend" and left < TOO_SHORT):
        yield text.append(f"  {deadline(waiting, now)}", "dim")
        return
    yield text
    if waiting.get("approvals"):
        yield _fact("it", Text(approvals_in_words(waiting["approvals"])))
    for one in waiting.get("alternatives", ()):
        about = one["event"] or one["workflow"] or one["at"] or one["reason"] or ""
        yield _fact("or", Text.assemble((one["name"], "bold"), f"  {one['kind']}  {about}"))
    yield _fact("review", Text(waiting["review_url"], f"underline cyan link {waiting['review_url']}"))
    yield _fact("resume", Text(f"flownb resume {execution['id']}"))
    yield _fact("cancel", Text(f"flownb cancel {execution['id']}"))
    yield _fact("else", Text(deadline(waiting, now)))


def news(before: Execution | None, after: Execution, now: datetime) -> Iterator[Text]:
    """Lines on what has come about since ``before``; None stands for the beginning."""
    if before is None:
        yield Text.assemble((after["workflow"], "bold"), (f"  execution {after['id']}", "dim"))
    earlier = before["steps"] if before else [None] * len(after["steps"])
    for old, step in zip(earlier, after["steps"], strict=True):
        if step["status"] in OVER and (old is None or step["status"] != old["status"]):
            yield step_line(step)
            if step["error"]:
                yield Text.from_ansi("\n".join(step["error"]["traceback"]))
    if after["waiting"] and (before is None or not _same_pause(before["waiting"], after["waiting"])):
        yield from pause_lines(after, now)
    for warning in after["warnings"][len(before["warnings"]) if before else 0 :]:
        yield Text(f"  ! {warning}", "yellow")
    if after["status"] in OVER:
        yield summary(after)


def doing(execution: Execution) -> str:
    """What it is at, in a few words."""
    if (waiting := execution["waiting"]) is not None:
        return f"{waiting['step']} waits"
    running = next((step for step in execution["steps"] if step["status"] == "running"), None)
    if running is None or execution["status"] != "running":
        return str(execution["status"]) if execution["status"] != "running" else "starting a kernel"
    return f"{running['name']} runs" + (f", run {running['runs']}" if running["runs"] > 1 else "")


def _same_pause(old: dict[str, Any] | None, new: dict[str, Any]) -> bool:
    return old is not None and all(old[key] == new[key] for key in ("step", "runs", "since"))


def _fact(label: str, value: Text) -> Text:
    return Text.assemble((f"      {label:<8}", "dim"), value)


def _seconds(milliseconds: int) -> str:
    return span(timedelta(milliseconds=milliseconds))


def _short(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LONGEST_VALUE else f"{written[: LONGEST_VALUE - 1]}…"
