"""The JSON Schema of ``metadata.flownb``: what the docs show, editors offer, and settings are checked against."""

from __future__ import annotations

from typing import Any

WORKFLOW_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a deployed workflow may be called: it stands in URLs and commands."""

SECRET_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"  # noqa: S105 - a pattern

STORE_NAME = WORKFLOW_NAME
"""What a data store may be called: it stands in URLs and commands too."""

DURATION: dict[str, Any] = {
    "type": ["string", "number"],
    "description": 'A span of time: "10s", "5m", "2h", "7d", or milliseconds.',
}


def _one_or_several(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": ["object", "array", "null"],
        "description": f"{one['description']} One, or a list.",
        "if": {"type": "array"},
        "then": {"items": one},
        "else": {"if": {"type": "object"}, "then": one},
    }


def _object(description: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _reference(key: str, pattern: str) -> dict[str, Any]:
    """An object with this key alone names something; any other value is the value itself."""
    return {
        "if": {"type": "object", "required": [key], "maxProperties": 1},
        "then": {"properties": {key: {"type": "string", "pattern": pattern}}},
    }


_AUTH = _object(
    "How a sender proves that it may start the workflow.",
    ("type", "secret"),
    type={
        "enum": ["bearer", "hmac", "github", "stripe", "slack"],
        "description": "A bearer token, or a signature of the body: HMAC-SHA256, plain or as one of these services.",
    },
    secret={"type": "string", "pattern": SECRET_NAME, "description": "The name of the secret; never its value."},
    header={"type": "string", "description": "The header that the signature stands in; for `hmac`."},
)

_HTTP = _object(
    "The HTTP trigger.",
    respond={"type": "boolean", "description": "Whether the caller waits for `pd.respond`."},
    wait={**DURATION, "description": "How long the caller waits at most; 30s unless given, at most an hour."},
    auth=_AUTH,
    idempotency_header={
        "type": "string",
        "minLength": 1,
        "description": "The header whose value names a delivery: the same one again starts nothing.",
    },
    max_body_bytes={"type": "integer", "minimum": 1, "description": "The largest body that is taken."},
)

_SCHEDULE = _object(
    "A time to start by itself.",
    cron={"type": "string", "description": "A cron expression of five fields, such as `0 9 * * MON-FRI`."},
    every={**DURATION, "description": "The time between two starts, in place of `cron`."},
    timezone={"type": "string", "description": "The time zone of `cron`, such as Europe/Berlin; UTC unless given."},
    missed={
        "enum": ["once", "all", "none"],
        "description": "What becomes of starts that were missed while no server ran; `once` unless given.",
    },
    overlap={"type": "boolean", "description": "Whether to start while an execution that it started is not over."},
)

_WATCH = _object(
    "A folder in which each new file starts an execution.",
    ("folder",),
    folder={"type": "string", "minLength": 1, "description": "Relative to the notebook's folder."},
    pattern={"type": "string", "minLength": 1, "description": "Which files count, such as `*.csv`; all unless given."},
)

_THROTTLE = _object(
    "At most so many starts in any window of this length.",
    ("most", "per"),
    most={"type": "integer", "minimum": 1, "description": "How many may begin."},
    per={**DURATION, "description": "The length of the window, at most a day."},
)

_COUNT = {"type": ["integer", "null"], "minimum": 1}

_KERNEL = _object(
    "Which kernels the steps run on.",
    gateway={
        "type": "string",
        "minLength": 1,
        "description": "The name or a label of the gateways that will do; any unless given.",
    },
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Settings of a workflow",
    "description": "What stands in a notebook's metadata.flownb; other keys are left alone.",
    "type": "object",
    "properties": {
        "timeout": {**DURATION, "description": "The longest an attempt of a step may take."},
        "retry": {"description": "How often a step that raises is tried again: a count, or `max` with its `backoff`."},
        "once": {"type": "boolean", "description": "Whether steps are never repeated after a crash."},
        "checkpoint": {"type": "boolean", "description": "Whether variables are saved after steps."},
        "confirm": {"type": ["boolean", "null"], "description": "Whether a link that is opened asks first."},
        "name": {"type": "string", "pattern": WORKFLOW_NAME, "description": "What the workflow is deployed as."},
        "http": {**_HTTP, "type": ["object", "null"]},
        "schedule": _one_or_several(_SCHEDULE),
        "watch": _one_or_several(_WATCH),
        "on_error": {
            "type": ["string", "null"],
            "pattern": WORKFLOW_NAME,
            "description": "The workflow that is started when an execution of this one fails.",
        },
        "concurrency": {**_COUNT, "description": "How many executions run at once; with 1, in the order they came."},
        "throttle": {**_THROTTLE, "type": ["object", "null"]},
        "queue": {**_COUNT, "description": "How many events may wait to begin; more are refused."},
        "kernel": {**_KERNEL, "type": ["object", "null"]},
        "inputs": {
            "type": ["object", "null"],
            "description": "What `pd.inputs` holds, by name: a value, `{secret: NAME}` or `{data_store: NAME}`.",
            "propertyNames": {"pattern": SECRET_NAME},
            "additionalProperties": {
                "allOf": [_reference("secret", SECRET_NAME), _reference("data_store", STORE_NAME)]
            },
        },
    },
}
