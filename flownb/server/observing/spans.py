"""Spans of executions: one for its whole life, one for each segment in it, one for each attempt of a step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import entry_points
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from flownb import __version__
from flownb.core.model import Execution, StepStatus
from flownb.core.model import Status as ExecutionStatus
from flownb.store.store import Change

NANOSECONDS = 1_000_000
"""In a millisecond."""


class Ids(RandomIdGenerator):
    """Random ids, unless those of the next span have been said."""

    said: SpanContext | None = None

    def generate_trace_id(self) -> int:
        return self.said.trace_id if self.said is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        said, self.said = self.said, None
        return said.span_id if said is not None else super().generate_span_id()


def provider(exporters: Sequence[str], ids: Ids) -> TracerProvider:
    """A provider of our own, whose exporters are told by their names; the rest is configured by ``OTEL_*``.

    Raises ``ValueError`` where there is no exporter of that name.
    """
    service = os.environ.get("OTEL_SERVICE_NAME") or "flownb"
    made = TracerProvider(id_generator=ids, resource=Resource.create({"service.name": service}))
    for name in exporters:
        found = next(iter(entry_points(group="opentelemetry_traces_exporter", name=name)), None)
        if found is None:
            raise ValueError(f"there is no exporter {name!r}")
        made.add_span_processor(BatchSpanProcessor(found.load()()))
    return made


@dataclass
class _Open:
    """The spans of an execution that runs."""

    segment: Span
    step: Span | None = None


class Spans:
    """Hears of every change. What it keeps in memory is of executions that hold a slot; ids are worked out again."""

    def __init__(self, exporters: Sequence[str]) -> None:
        """Raises as ``provider`` does."""
        self._ids = Ids()
        self._provider = provider(exporters, self._ids)
        self._tracer = self._provider.get_tracer("flownb", __version__)
        self._open: dict[str, _Open] = {}

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        before, after = change.before, change.after
        ran = before is not None and before.status is ExecutionStatus.RUNNING
        runs = after.status is ExecutionStatus.RUNNING
        at = change.at * NANOSECONDS
        if runs and after.id not in self._open:
            self._open[after.id] = _Open(self._segment(after, at))
        if ran and before is not None and before.at < len(before.steps):
            self._end_step(before, after, at)
        if runs:
            self._begin_step(after, at)
        elif (ended := self._open.pop(after.id, None)) is not None:
            ended.segment.set_attribute("flownb.status", str(after.status))
            _close(ended.segment, after, at)
        if after.status.final and (before is None or not before.status.final):
            self._whole(after, at)

    def close(self) -> None:
        """Let what is open go: a server after this one begins those spans anew. Sends what has ended."""
        self._open.clear()
        self._provider.shutdown()

    def _segment(self, execution: Execution, at: int) -> Span:
        context = trace.set_span_in_context(NonRecordingSpan(_root(execution)))
        attributes = {**_about(execution), "flownb.segment": execution.segments}
        return self._tracer.start_span(f"segment {execution.segments}", context, attributes=attributes, start_time=at)

    def _begin_step(self, execution: Execution, at: int) -> None:
        """A span for the attempt that runs now, unless it has one."""
        opened, step = self._open[execution.id], execution.step
        if opened.step is not None or step is None or step.status is not StepStatus.RUNNING:
            return
        attributes = {**_about(execution), "flownb.step": step.name, "flownb.run": step.runs}
        opened.step = self._tracer.start_span(
            f"step {step.name}",
            trace.set_span_in_context(opened.segment),
            attributes={**attributes, "flownb.attempt": step.attempts},
            start_time=at,
        )

    def _end_step(self, before: Execution, after: Execution, at: int) -> None:
        """End the span of the attempt that ran, where the change ended it."""
        opened, old = self._open.get(after.id), before.steps[before.at]
        if opened is None or opened.step is None:
            return
        new = after.steps[before.at]
        if (new.status, new.runs, new.attempts) == (old.status, old.runs, old.attempts):
            return
        opened.step.set_attribute("flownb.status", str(new.status))
        opened.step.set_attribute("flownb.compute_ms", after.compute_ms - before.compute_ms)
        if (error := new.error or new.last_error) is not None and new.status is not StepStatus.SUCCEEDED:
            opened.step.add_event("exception", {"exception.type": error.ename}, timestamp=at)
            opened.step.set_status(Status(StatusCode.ERROR, error.ename))
        opened.step.end(at)
        opened.step = None

    def _whole(self, execution: Execution, at: int) -> None:
        """The span that all others are in: it is told at the end, with the id that they have known from the start."""
        caller = _caller(execution)
        parent = trace.set_span_in_context(NonRecordingSpan(caller)) if caller is not None else Context()
        self._ids.said = _root(execution)
        attributes = {
            **_about(execution),
            "flownb.status": str(execution.status),
            "flownb.segments": execution.segments,
            "flownb.compute_ms": execution.compute_ms,
            "flownb.suspended_ms": execution.suspended_ms,
        }
        began = execution.created_at * NANOSECONDS
        _close(
            self._tracer.start_span(execution.workflow, parent, attributes=attributes, start_time=began), execution, at
        )


def _close(span: Span, execution: Execution, at: int) -> None:
    if execution.status is ExecutionStatus.FAILED:
        span.set_status(Status(StatusCode.ERROR, execution.error.ename if execution.error else execution.reason))
    span.end(at)


def _about(execution: Execution) -> dict[str, Any]:
    return {
        "flownb.execution": execution.id,
        "flownb.workflow": execution.workflow,
        "flownb.version": execution.version,
    }


def _root(execution: Execution) -> SpanContext:
    """Where the execution's own span is: in the trace of its caller, or in one that its id tells."""
    caller = _caller(execution)
    trace_id = caller.trace_id if caller is not None else _number(execution, "trace", 16)
    flags = caller.trace_flags if caller is not None else TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(trace_id, _number(execution, "span", 8), is_remote=True, trace_flags=flags)


def _caller(execution: Execution) -> SpanContext | None:
    """The span of whoever called the HTTP trigger, as its ``traceparent`` says."""
    event = execution.trigger.get("event") if isinstance(execution.trigger, dict) else None
    headers = event.get("headers") if isinstance(event, dict) else None
    if not isinstance(headers, dict) or "traceparent" not in headers:
        return None
    carried = {name: str(headers[name]) for name in ("traceparent", "tracestate") if name in headers}
    found = trace.get_current_span(propagate.extract(carried)).get_span_context()
    return found if found.is_valid else None


def _number(execution: Execution, use: str, size: int) -> int:
    """The same number for the same execution and use, on every server; never 0."""
    return int.from_bytes(sha256(f"{use} {execution.id}".encode()).digest()[:size]) or 1
