"""Logs for machines: what a line is about stands in it as attributes."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from flownb.core.model import Execution

ATTRIBUTES = ("execution", "step", "workflow")


def about(execution: Execution | str) -> dict[str, str]:
    """The ``extra`` of a line about an execution: its id and, where they are at hand, its workflow and step."""
    if isinstance(execution, str):
        return {"execution": execution}
    step = {"step": execution.step.name} if execution.step is not None else {}
    return {"execution": execution.id, "workflow": execution.workflow, **step}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for ``c.ServerApp.logging_config``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in ATTRIBUTES if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
