"""OpenTelemetry, where it is installed and told by ``OTEL_TRACES_EXPORTER`` where traces go: one for each execution."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.server.observing.spans import Spans

EXPORTER = "OTEL_TRACES_EXPORTER"


def tracing(log: logging.Logger | logging.LoggerAdapter[Any]) -> Spans | None:
    """What makes spans of changes, None where nobody wants traces; nothing is imported then."""
    names = [name.strip() for name in os.environ.get(EXPORTER, "none").split(",")]
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or set(names) <= {"none", ""}:
        return None
    try:
        from flownb.server.observing.spans import Spans

        return Spans(names)
    except (ImportError, RuntimeError, ValueError) as error:
        log.error("flownb: there are no traces: %s (install `flownb[otel]`, and what exports to %s)", error, names)
        return None
