"""The journal: what happened to each execution, entry by entry, so that the record can be worked out from it again.

An entry holds its event without what people and notebooks put in: values, requests, forms and texts of any size. What
the rules decide on is all there.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from flownb.core import events
from flownb.core.jsonvalue import dumps
from flownb.core.model import Execution, Json, Step
from flownb.store import seals, sql
from flownb.store.engine import Database
from flownb.store.keys import Key

T = TypeVar("T")

CREATED = "Created"

CONTENT: dict[str, Json] = {
    "exports": {},
    "request": {"body": {}},
    "form": {"type": "object"},
    "context": None,
    "callback": None,
    "resume": None,
    "pause": None,
    "evalue": "",
    "traceback": (),
    "warnings": (),
    "variables": (),
    "headers": None,
    "body": None,
    "data": None,
}
"""Fields whose values are left out, null in their place, and what stands there when an entry is read."""

ELSEWHERE = frozenset({"id", "workflow", "notebook", "version", "trigger", "created_at"})
"""Fields of an execution that its own row has, since they never change; where its version did, the entry has both."""

_COLUMNS = ("execution", "at", "event", "status", "step", "run", "attempt", "detail")

LATEST = "SELECT seq, mac, seal FROM journal WHERE execution = ? ORDER BY seq DESC LIMIT 1"

KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(events.Event)}


class Latest(NamedTuple):
    """The latest entry of an execution: its number, its signature and what it vouches for; None where it is not signed.

    Numbers begin with 1.
    """

    seq: int = 0
    mac: str | None = None
    seal: str | None = None


def latest(db: Database, execution_id: str) -> Latest:
    """The latest entry of an execution."""
    row = db.execute(LATEST, (execution_id,)).fetchone()
    return Latest(*row) if row else Latest()


@dataclass(frozen=True)
class Signing:
    """With what an entry is signed: the key, the signature before it, and what it vouches for besides its own words."""

    key: Key
    before: str = ""
    seal: Json = None


def write(
    db: Database,
    before: Execution | None,
    after: Execution,
    event: events.Event | None,
    at: int,
    answer: str | None,
    signing: Signing,
) -> tuple[int, str]:
    """Add an entry, of a creation where there is no event; returns its number and its signature."""
    step = before.step if before is not None else None
    of = step.attempt if step is not None else (None, None, None)
    was = replaced(before) if before is not None and before.version != after.version else None
    detail = {"event": encode(event) if event else begun(after), "answer": answer, "was": was}
    kept = {name: value for name, value in detail.items() if value}
    told = (after.id, at, name_of(event), after.status, *of, dumps(kept) if kept else None)
    entry: dict[str, Any] = dict(zip(_COLUMNS, told, strict=True))
    entry |= {"key": signing.key.name, "seal": dumps(signing.seal) if signing.seal else None}
    entry["mac"] = seals.sign(signing.key, signing.before, entry)
    return sql.insert_numbered(db, "journal", entry), entry["mac"]


def name_of(event: events.Event | None) -> str:
    return type(event).__name__ if event else CREATED


def begun(execution: Execution) -> dict[str, Json]:
    """What a new execution has behind it: nothing, unless it begins in the middle."""
    found: dict[str, Json] = encode(replace(execution, steps=execution.steps[: execution.at]))
    return {name: value for name, value in found.items() if name not in ELSEWHERE and value}


def replaced(execution: Execution) -> dict[str, Json]:
    """What an execution was pinned to before it moved to another version."""
    steps = tuple(Step(step.name, step.cell_id, step.policy) for step in execution.steps)
    return {"version": execution.version, "steps": encode(steps)}


def encode(value: Any) -> Json:
    """Frozen data as JSON: of a dataclass the fields that differ from their defaults, but not their content."""
    if isinstance(value, tuple):
        return [encode(one) for one in value]
    if not is_dataclass(value):
        return value
    has = vars(value)
    told = ((name, has[name]) for name, default in _defaults(value.__class__) if has[name] != default)
    return {name: None if name in CONTENT else encode(found) for name, found in told}


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    """Each field and what it is by default; ``MISSING``, which nothing is equal to, where it has none."""
    return tuple(
        (field.name, field.default_factory() if field.default_factory is not MISSING else field.default)
        for field in fields(kind)
    )


def decode(name: str, detail: Json) -> events.Event:
    """The event of an entry, from its name and the ``event`` in its detail, which a plain event has none of."""
    found: events.Event = revive(KINDS[name], detail or {})
    return found


def revive(kind: type[T], value: Json) -> T:
    """The frozen data of this kind that ``encode`` wrote down, with stand-ins for its content."""
    found: T = _revive(kind, value)
    return found


def _revive(kind: Any, value: Json) -> Any:
    if value is None or kind is Any:
        return value
    if get_origin(kind) is UnionType:
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is tuple:
        return tuple(_revive(get_args(kind)[0], one) for one in value)
    if is_dataclass(kind):
        return _made(kind, value)
    return kind(*value) if issubclass(kind, tuple) else kind(value)


def _made(kind: Any, value: dict[str, Json]) -> Any:
    hints = _hints(kind)
    told = {name: CONTENT[name] if name in CONTENT else _revive(hints[name], found) for name, found in value.items()}
    return kind(**told)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
