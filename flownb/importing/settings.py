"""Triggers and settings of the hosted original as ``metadata.flownb``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flownb.importing.folder import Source
from flownb.importing.notes import Note

REMEDIES = {
    "error_notification": "set c.FlowNB.notify on the server, or `on_error` to a workflow that tells somebody",
    "lambda_memory": "set c.FlowNB.kernel_memory_bytes on the server, where kernels are to be limited",
    "network": "kernels use the network of the server",
}
RETRY = {"max": 8, "first": "1m", "limit": "5h"}
"""What the hosted product documents: up to 8 times within 10 hours."""


def settings(source: Source, inputs: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    """The notebook's settings; what has no counterpart is added to the notes."""
    found: dict[str, Any] = {"name": workflow_name(source.name)}
    schedules: list[dict[str, Any]] = []
    for trigger in source.triggers:
        schedule = _schedule(trigger)
        if schedule is not None:
            schedules.append(schedule)
        else:
            notes.append(_trigger(trigger))
    if schedules:
        found["schedule"] = schedules[0] if len(schedules) == 1 else schedules
    if any("pd.respond(" in (step.code or "") for step in source.steps if step.is_python):
        found["http"] = {"respond": True}
    for key, value in source.settings.items():
        found.update(_setting(key, value, notes))
    if source.said.get("inactive"):
        notes.append(Note("workflow", "it was inactive", "deploy it when it is to work"))
    if inputs:
        found["inputs"] = dict(inputs)
    return found


def workflow_name(name: str) -> str:
    """The name as it may stand in URLs and commands."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return words[:100].strip("-") or "imported"


def _schedule(trigger: Mapping[str, Any]) -> dict[str, Any] | None:
    """When a trigger starts the workflow, where it says so: by ``cron`` or a count of seconds."""
    for said in _mappings(trigger):
        if isinstance(cron := said.get("cron"), str):
            zone = said.get("timezone") or trigger.get("timezone")
            return {"cron": cron, **({"timezone": zone} if isinstance(zone, str) else {})}
        seconds = said.get("intervalSeconds") or said.get("interval_seconds")
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
            return {"every": f"{seconds}s"}
    return None


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from _mappings(one)


def _trigger(trigger: Mapping[str, Any]) -> Note:
    name = str(trigger.get("id") or trigger.get("uses") or "unknown")
    if name.startswith("hi_"):
        return Note(
            f"trigger {name}",
            "a URL, or a time: the file has no more than this id",
            "after `flownb deploy`, give senders the hook URL; for a time, add `schedule` to metadata.flownb",
        )
    return Note(
        f"trigger {name}",
        f"a source of events of the hosted product ({trigger.get('uses') or 'the file has no more than this id'})",
        "have the service itself send its events to the hook URL, or poll it on a `schedule`",
    )


def _setting(key: str, value: Any, notes: list[Note]) -> dict[str, Any]:
    if key == "lambda_timeout" and _count(value):
        return {"timeout": f"{value}s"}
    if key == "auto_retry_errors":
        return {"retry": RETRY} if value is True else {}
    if key == "concurrency" and _count(value):
        return {"concurrency": value}
    notes.append(Note(f"setting {key}", f"it was {value!r}", REMEDIES.get(key, "there is no counterpart")))
    return {}


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
