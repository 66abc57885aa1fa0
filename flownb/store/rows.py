"""Frozen data to rows and back: a column per field, compound values as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.core.model import (
    Action,
    Attempt,
    Checkpoint,
    Decision,
    EndedBy,
    Error,
    Execution,
    Pause,
    PauseKind,
    Policy,
    Retry,
    Signature,
    Status,
    Step,
    StepStatus,
)

Row = Mapping[str, Any]
Decoder = Callable[[Any], Any]

KEPT_APART = frozenset({"steps", "pause", "past", "of"})


def _policy(value: Row) -> Policy:
    retry = value["retry"]
    return Policy(**{**value, "retry": Retry(**retry) if retry else None})


def _error(value: Row) -> Error:
    return Error(value["ename"], value["evalue"], tuple(value["traceback"]))


def _decision(value: Row) -> Decision:
    return Decision(Action(value["action"]), value["at"], value["request"], Signature(**value.get("signature", {})))


def _same(value: Any) -> Any:
    return value


_JSON: dict[str, Decoder] = {
    "trigger": _same,
    "resume": _same,
    "exports": _same,
    "context": _same,
    "callback": _same,
    "form": _same,
    "max_retries": _same,  # of any size
    "reason": _same,  # may hold lone surrogates, which no column of text takes
    "warnings": tuple,
    "checkpoint": lambda value: Checkpoint(**value),
    "error": _error,
    "last_error": _error,
    "policy": _policy,
    "decision": _decision,
    "resumed_by": lambda value: Signature(**value),
}
_COMPOUND = (Checkpoint, Error, Policy, Decision, Signature)


def columns(value: Execution | Step | Pause, before: object = None) -> dict[str, Any]:
    """The columns of a value; with ``before``, of the same type, only those that changed."""
    names = [field.name for field in fields(value) if field.name not in KEPT_APART]
    changed = [name for name in names if before is None or getattr(before, name) is not getattr(value, name)]
    return {name: _encode(name, getattr(value, name)) for name in changed}


def _encode(name: str, value: Any) -> Any:
    if name not in _JSON:
        return int(value) if isinstance(value, bool) else value
    if value is None:
        return None
    return dumps(asdict(value) if isinstance(value, _COMPOUND) else value)


def _decode(row: Row, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        value = row[name]
        decoder = _JSON.get(name)
        found[name] = decoder(json.loads(value)) if decoder and value is not None else value
    return found


_NAMES = {kind: [f.name for f in fields(kind) if f.name not in KEPT_APART] for kind in (Execution, Step, Pause)}


def step(row: Row) -> Step:
    found = _decode(row, _NAMES[Step])
    return Step(**{**found, "status": StepStatus(row["status"]), "asked": bool(row["asked"])})


def pause(row: Row) -> Pause:
    found = _decode(row, _NAMES[Pause])
    found["kind"] = PauseKind(row["kind"]) if row["kind"] else None
    found["ended_by"] = EndedBy(row["ended_by"]) if row["ended_by"] else None
    found["confirm"] = None if row["confirm"] is None else bool(row["confirm"])
    return Pause(of=Attempt(row["step"], row["run"], row["attempt"]), **found)


def execution(row: Row, steps: tuple[Step, ...], pause: Pause | None) -> Execution:
    found = _decode(row, _NAMES[Execution])
    return Execution(
        **{**found, "status": Status(row["status"]), "fresh": bool(row["fresh"])}, steps=steps, pause=pause
    )
