"""What a failed assertion tells of an execution: what became of each step, its error and its output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flownb.testing.steps import Steps

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def story(expected: str, execution: Mapping[str, Any], steps: Steps) -> str:
    """The message of an ``AssertionError``: what was expected, and how the execution stands."""
    return "\n".join([f"expected that {expected}, but {standing(execution)}", *_details(execution, steps)])


def standing(execution: Mapping[str, Any]) -> str:
    """How an execution stands, in half a sentence."""
    waiting, error, status = execution["waiting"], execution["error"], execution["status"]
    if waiting is not None:
        why = f" ({waiting['reason']})" if waiting["reason"] else ""
        return f"it waits in step {waiting['step']!r}{why} until {waiting['wakes_at']}: a {waiting['kind']}"
    if error is not None:
        return f"it has {status}: {error['ename']}: {error['evalue']}"
    reason = f" ({execution['reason']})" if execution["reason"] else ""
    return f"it has {status}{reason}" if status == "succeeded" else f"it is {status}{reason}"


def _details(execution: Mapping[str, Any], steps: Steps) -> Iterator[str]:
    yield f"  {execution['workflow']}, execution {execution['id']}"
    for step in steps.values():
        run = f", run {step.runs}" if step.runs > 1 else ""
        yield f"  {step.name}: {step.status}{run}"
        yield from _block(step.text)
        if step.error is not None:
            yield from _block("\n".join(step.error["traceback"]) or f"{step.error['ename']}: {step.error['evalue']}")
    for warning in execution["warnings"]:
        yield f"  warning: {warning}"


def _block(text: str) -> Iterator[str]:
    for line in COLOURS.sub("", text).splitlines():
        yield f"    | {line}".rstrip()
