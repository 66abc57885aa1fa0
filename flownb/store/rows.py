"""Frozen data to rows and back: a column per field, compound values as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

from flownb.core.frozen import made
from flownb.core.jsonvalue import dumps
from flownb.core.model import (
    Action,
    Alternative,
    Approvals,
    Attempt,
    Awaited,
    Checkpoint,
    Decision,
    EndedBy,
    Error,
    Execution,
    Pause,
    PauseKind,
    Policy,
    Response,
    Retry,
    Signature,
    Status,
    Step,
    StepStatus,
)

Row = Sequence[Any]
Object = Mapping[str, Any]
Decoder = Callable[[Any], Any]

KEPT_APART = frozenset({"steps", "pause", "past", "of"})

SHORT = 100
"""Characters of JSON up to which a value is decoded once for all rows that have it: values are never changed."""


def _policy(value: Object) -> Policy:
    retry = value["retry"]
    return Policy(**{**value, "retry": Retry(**retry) if retry else None})


def _error(value: Object) -> Error:
    return Error(value["ename"], value["evalue"], tuple(value["traceback"]))


def _decision(value: Object) -> Decision:
    signature = Signature(**value.get("signature", {}))
    return Decision(Action(value["action"]), value["at"], value["request"], signature, value.get("which"))


def _alternatives(value: list[Object]) -> tuple[Alternative, ...]:
    return tuple(Alternative(**{**one, "kind": Awaited(one["kind"])}) for one in value)


def _approvals(value: Object) -> Approvals:
    lists = {name: tuple(value[name]) for name in ("approvers", "escalate_to")}
    return Approvals(**{**value, **lists, "given": _decisions(value["given"])})


def _decisions(value: list[Object]) -> tuple[Decision, ...]:
    return tuple(map(_decision, value))


def _response(value: Object) -> Response:
    return Response(**{**value, "of": Attempt(*value["of"])})


def _same(value: Any) -> Any:
    return value


JSON: dict[str, Decoder] = {
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
    "early": _decisions,
    "alternatives": _alternatives,
    "approvals": _approvals,
    "resumed_by": lambda value: Signature(**value),
    "response": _response,
}
_COMPOUND = (Checkpoint, Error, Policy, Retry, Decision, Response, Signature, Alternative, Approvals)
NAMES = {kind: [f.name for f in fields(kind) if f.name not in KEPT_APART] for kind in (Execution, Step, Pause)}
"""The columns of each."""


def columns(value: Execution | Step | Pause, before: Execution | Step | Pause | None = None) -> dict[str, Any]:
    """The columns of a value; with ``before``, of the same type, only those that changed."""
    has, had = vars(value), vars(before) if before is not None else {}
    return {
        name: _encode(name, has[name]) for name in NAMES[type(value)] if before is None or has[name] is not had[name]
    }


def _encode(name: str, value: Any) -> Any:
    if name not in JSON:
        return int(value) if isinstance(value, bool) else value
    return None if value is None else dumps(_plain(value))


def _plain(value: Any) -> Any:
    """Frozen data as an object; what a dataclass holds as JSON is not copied."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if not isinstance(value, _COMPOUND):
        return value
    return {name: _plain(found) for name, found in vars(value).items()}


def _document(name: str) -> Decoder:
    """What makes a value of JSON text."""
    decode = JSON[name]

    @lru_cache(1024)
    def short(text: str) -> Any:
        return decode(json.loads(text))

    return lambda text: short(text) if len(text) <= SHORT else decode(json.loads(text))


def _word(kind: type[StrEnum]) -> Decoder:
    return {str(word): word for word in kind}.__getitem__


_DOCUMENTS = {name: _document(name) for name in JSON}
_FLAGS: dict[str, Decoder] = dict.fromkeys(("asked", "fresh", "confirm"), bool)
_DECODERS: dict[type, list[Decoder | None]] = {
    kind: [{**_DOCUMENTS, **_FLAGS, **words}.get(name) for name in NAMES[kind]]
    for kind, words in (
        (Execution, {"status": _word(Status)}),
        (Step, {"status": _word(StepStatus)}),
        (Pause, {"kind": _word(PauseKind), "ended_by": _word(EndedBy)}),
    )
}

EXECUTION, STEP = (", ".join(NAMES[kind]) for kind in (Execution, Step))
PAUSE = ", ".join(("step", "run", "attempt", *NAMES[Pause]))
"""The columns that make one, in the order in which they are taken here."""


def step(row: Row) -> Step:
    return made(Step, _decode(row, Step))


def pause(row: Row) -> Pause:
    return made(Pause, {"of": Attempt(*row[:3]), **_decode(row[3:], Pause)})


def execution(row: Row, steps: tuple[Step, ...], pause: Pause | None) -> Execution:
    return made(Execution, {**_decode(row, Execution), "steps": steps, "pause": pause, "past": ()})


def _decode(row: Row, kind: type[Execution] | type[Step] | type[Pause]) -> dict[str, Any]:
    return {
        name: value if decode is None or value is None else decode(value)
        for name, decode, value in zip(NAMES[kind], _DECODERS[kind], row, strict=True)
    }
