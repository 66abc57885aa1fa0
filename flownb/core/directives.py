"""What an author sets for a step: the leading ``#|`` lines of a cell, one YAML mapping (Quarto's convention)."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from flownb.core.durations import duration
from flownb.core.errors import InvalidValue, shown
from flownb.core.model import Policy, Retry

POLICY_KEYS = ("timeout", "retry", "once", "checkpoint")
_RETRY_KEYS = ("max", "backoff", "first", "limit")
_BACKOFFS = ("exponential", "constant")


def directives(source: str) -> dict[str, object]:
    """The mapping that the leading ``#|`` lines of a cell write; empty where there are none.

    Raises ``InvalidValue`` where they are not YAML or not a mapping.
    """
    lines: list[str] = []
    for line in source.splitlines():
        if not line.startswith("#|"):
            if line.strip() or lines:
                break
            continue
        lines.append(line.removeprefix("#|").removeprefix(" "))
    try:
        mapping = yaml.safe_load("\n".join(lines))
    except Exception as error:  # PyYAML lets through whatever its constructors raise, as for the date 2024-13-45
        raise InvalidValue(f"its `#|` lines are not YAML: {' '.join(str(error).split())}") from None
    if mapping is None:
        return {}
    if not isinstance(mapping, dict):
        raise InvalidValue(f"its `#|` lines are to be `key: value` pairs, got {shown(mapping)}")
    return {str(key): value for key, value in mapping.items()}


def policy(settings: Mapping[str, object], defaults: Policy) -> Policy:
    """The policy that directives, or a workflow's settings, make of ``defaults``; raises ``InvalidValue``."""
    return Policy(
        timeout=_timeout(settings["timeout"]) if "timeout" in settings else defaults.timeout,
        retry=_retry(settings["retry"]) if "retry" in settings else defaults.retry,
        once=flag(settings, "once", defaults.once),
        checkpoint=flag(settings, "checkpoint", defaults.checkpoint),
    )


def flag(settings: Mapping[str, object], key: str, default: bool) -> bool:
    value = settings.get(key, default)
    if not isinstance(value, bool):
        raise InvalidValue(f"`{key}` is true or false, got {shown(value)}")
    return value


def _timeout(value: object) -> int | None:
    return None if value is None else duration(value, "`timeout`")


def _retry(value: object) -> Retry | None:
    if value is None or value is False:
        return None
    if not isinstance(value, dict):
        return Retry(max=_count(value))
    if unknown := [key for key in value if key not in _RETRY_KEYS]:
        raise InvalidValue(f"`retry` knows {', '.join(_RETRY_KEYS)}, not {unknown[0]!r}")
    if "max" not in value:
        raise InvalidValue("`retry` needs `max`, the number of further attempts")
    backoff = value.get("backoff", "exponential")
    if backoff not in _BACKOFFS:
        raise InvalidValue(f"`retry.backoff` is {' or '.join(_BACKOFFS)}, got {shown(backoff)}")
    return Retry(
        max=_count(value["max"]),
        backoff=backoff,
        first=duration(value.get("first", Retry.first), "`retry.first`"),
        limit=duration(value.get("limit", Retry.limit), "`retry.limit`"),
    )


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000:
        raise InvalidValue(f"`retry` is a count from 0 to 1000 or a mapping with `max`, got {shown(value)}")
    return value
