"""A workflow's settings: what stands in the notebook's ``metadata.flownb``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from flownb.core.directives import POLICY_KEYS, flag, policy
from flownb.core.durations import DAY, HOUR, SECOND, duration
from flownb.core.errors import InvalidValue
from flownb.core.model import Json, Policy
from flownb.core.settings_schema import SCHEMA

NAMES = tuple(SCHEMA["properties"])


@dataclass(frozen=True)
class Auth:
    """How the sender of an event proves that it may: ``kind`` of proof, and the name of the secret it needs."""

    kind: str
    secret: str
    header: str | None = None


@dataclass(frozen=True)
class Hook:
    """The HTTP trigger. ``wait`` is how long, in ms, a caller waits for ``pd.respond``; None for an answer at once."""

    auth: Auth | None = None
    wait: int | None = None
    idempotency_header: str = "Idempotency-Key"
    max_body_bytes: int | None = None


@dataclass(frozen=True)
class Schedule:
    """When a workflow starts by itself: by a ``cron`` expression in a time zone, or ``every`` so many ms.

    ``missed`` says what becomes of times at which no server ran: ``once``, ``all`` or ``none``.
    """

    cron: str | None = None
    every: int | None = None
    timezone: str = "UTC"
    missed: str = "once"
    overlap: bool = False


@dataclass(frozen=True)
class Watch:
    """A folder, relative to the notebook's own, in which each new file that fits the pattern starts an execution."""

    folder: str
    pattern: str = "*"


@dataclass(frozen=True)
class Quota:
    """How much of a workflow runs: at most ``running`` at once, ``most`` begun in any ``per`` ms, ``queued`` waiting.

    None stands for no limit.
    """

    running: int | None = None
    most: int | None = None
    per: int = SECOND
    queued: int | None = None


@dataclass(frozen=True)
class Input:
    """A value of ``pd.inputs``: ``value`` itself, what is kept under the name ``secret``, or the store of that name."""

    value: Json = None
    secret: str | None = None
    data_store: str | None = None


@dataclass(frozen=True)
class Settings:
    """All settings of a workflow; ``unknown`` are keys that mean nothing here."""

    policy: Policy = field(default_factory=Policy)
    confirm: bool | None = None
    name: str | None = None
    hook: Hook = Hook()
    schedules: tuple[Schedule, ...] = ()
    watches: tuple[Watch, ...] = ()
    on_error: str | None = None
    quota: Quota = Quota()
    inputs: Mapping[str, Input] = field(default_factory=dict)
    gateway: str | None = None
    unknown: tuple[str, ...] = ()


def settings(said: Mapping[str, Any]) -> Settings:
    """The settings that a mapping of JSON values says; raises ``InvalidValue`` that names the key."""
    from flownb.core.forms import complaints  # takes a second to import, which no command is to wait for

    rules = policy(said, Policy())
    confirm = flag(said, "confirm", False) if said.get("confirm") is not None else None
    for key, complaint in complaints(SCHEMA, {key: said[key] for key in said if key not in POLICY_KEYS}).items():
        raise InvalidValue(f"`{key}` {complaint}")
    return Settings(
        policy=rules,
        confirm=confirm,
        name=said.get("name"),
        hook=_hook(said.get("http") or {}),
        schedules=tuple(_schedule(one) for one in _several(said.get("schedule"))),
        watches=tuple(Watch(**one) for one in _several(said.get("watch"))),
        on_error=said.get("on_error"),
        quota=_quota(said),
        inputs={name: _input(value) for name, value in (said.get("inputs") or {}).items()},
        gateway=(said.get("kernel") or {}).get("gateway"),
        unknown=tuple(sorted(set(said) - set(NAMES))),
    )


def _several(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _hook(said: Mapping[str, Any]) -> Hook:
    auth = said.get("auth")
    wait = duration(said.get("wait", "30s"), "`http.wait`")
    if wait > HOUR:
        raise InvalidValue("`http.wait` is at most an hour")
    return Hook(
        auth=Auth(auth["type"], auth["secret"], auth.get("header")) if auth else None,
        wait=wait if said.get("respond") else None,
        idempotency_header=said.get("idempotency_header", Hook.idempotency_header),
        max_body_bytes=said.get("max_body_bytes"),
    )


def _schedule(said: Mapping[str, Any]) -> Schedule:
    cron, every, timezone = said.get("cron"), said.get("every"), said.get("timezone", "UTC")
    if (cron is None) == (every is None):
        raise InvalidValue("`schedule` has either `cron` or `every`")
    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise InvalidValue(f"`schedule.timezone` {timezone!r} is no time zone, such as Europe/Berlin") from None
    except KeyError:
        raise InvalidValue(f"`schedule.timezone` {timezone!r} is not known here") from None
    if cron is not None:
        _demand_cron(cron, zone)
    elif (every := duration(every, "`schedule.every`")) < SECOND:
        raise InvalidValue("`schedule.every` is at least a second")
    return Schedule(
        cron=cron,
        every=every,
        timezone=timezone,
        missed=said.get("missed", "once"),
        overlap=said.get("overlap", False),
    )


def _demand_cron(cron: str, zone: ZoneInfo) -> None:
    if len(cron.split()) != 5:
        raise InvalidValue(f"`schedule.cron` {cron!r} is to have five fields: minute, hour, day, month, weekday")
    try:
        if next(CronSim(cron, datetime(2000, 1, 1, tzinfo=zone)), None) is None:
            raise InvalidValue(f"`schedule.cron` {cron!r} never comes")
    except CronSimError as error:
        raise InvalidValue(f"`schedule.cron` {cron!r}: {error}") from None


def _quota(said: Mapping[str, Any]) -> Quota:
    throttle = said.get("throttle") or {}
    per = duration(throttle["per"], "`throttle.per`") if throttle else Quota.per
    if per > DAY:
        raise InvalidValue("`throttle.per` is at most a day")
    return Quota(said.get("concurrency"), throttle.get("most"), per, said.get("queue"))


def _input(value: Json) -> Input:
    """A mapping of ``secret`` or ``data_store`` alone names one; everything else is the value itself."""
    if isinstance(value, dict) and len(value) == 1 and value.keys() <= {"secret", "data_store"}:
        return Input(**value)
    return Input(value=value)
