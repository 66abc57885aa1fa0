"""What a snapshot calls to remake single values. It does so by name: renaming a function breaks snapshots."""

from __future__ import annotations

import ctypes
import logging
import re
import sqlite3
import weakref
from typing import Any

from flownb.kernel.lost import Lost


class _Gone:
    """Something to refer to that is there no longer."""


def address(view: memoryview) -> int:
    """Where the memory lies that ``view``, which must be writable and not empty, looks at."""
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def make_memoryview(obj: Any, offset: int, size: int, form: str, shape: tuple[int, ...], readonly: bool) -> memoryview:
    """A view of ``size`` bytes of ``obj``, from ``offset`` on."""
    part: Any = memoryview(obj).cast("B")[offset : offset + size]
    view: memoryview = part.cast(form, shape)
    return view.toreadonly() if readonly else view


def dead_reference() -> weakref.ref[Any]:
    """A weak reference to what is there no longer."""
    return weakref.ref(_Gone())


def make_match(pattern: re.Pattern[Any], way: str, string: Any, start: int, end: int) -> re.Match[Any]:
    """What ``way``, a method of ``pattern``, finds again."""
    found: re.Match[Any] = getattr(pattern, way)(string, start, end)
    return found


def make_row(keys: list[str], values: tuple[Any, ...]) -> sqlite3.Row:
    """A row of a result; a cursor is asked for names only."""
    connection = sqlite3.connect(":memory:")
    columns = ", ".join('NULL AS "' + key.replace('"', '""') + '"' for key in keys)
    row = sqlite3.Row(connection.execute(f"SELECT {columns}"), values)
    connection.close()
    return row


def fill_logger(logger: logging.Logger, state: dict[str, Any]) -> None:
    """How a logger was set up. Where a handler is lost with its file, those that a setup cell gave it stay."""
    logger.setLevel(state["level"])
    logger.propagate, logger.disabled = state["propagate"], state["disabled"]
    logger.filters = state["filters"]
    carried = [each for each in state["handlers"] if type(getattr(each, "stream", None)) is not Lost]
    if len(carried) == len(state["handlers"]) or not logger.handlers:
        logger.handlers = carried
