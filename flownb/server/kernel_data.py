"""Data stores for the cells of executions: one request a call, with a key that is good while its segment runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated

from flownb.core.data import Changed, NoSuchKey, lifetime, store_key, store_name
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.jsonvalue import sized, to_json
from flownb.core.model import Json
from flownb.server.by_key import KeyHandler
from flownb.server.kernel_key import demand_running, proven, shown_key
from flownb.server.service import Active, Service, Unavailable
from flownb.store import data
from flownb.store.engine import Database
from flownb.store.writer import StoreError

MOST_KEYS = 1_000
"""Keys of a page."""

LARGE = 16 * 1024
"""Bytes of a body above which it is parsed off the event loop."""

BESIDES = 16 * 1024
"""Bytes that a body may have besides its value."""

CODES: dict[type[FlowNBError], int] = {
    InvalidValue: 400,
    NoSuchKey: 404,
    Changed: 409,
    Unavailable: 503,
    StoreError: 503,
}

Said = dict[str, Any]
Operation = Callable[[Database, str, int, Said], Json]


def _get(db: Database, store: str, now: int, said: Said) -> Json:
    kept = data.get(db, store, said["key"], now)
    return {"found": kept is not None, "value": kept and kept.value, "revision": kept.revision if kept else 0}


def _has(db: Database, store: str, now: int, said: Said) -> Json:
    return data.get(db, store, said["key"], now) is not None


def _count(db: Database, store: str, now: int, said: Said) -> Json:
    return data.size(db, store, now).keys


def _keys(db: Database, store: str, now: int, said: Said) -> Json:
    found, following = data.keys(db, store, now, after=str(said.get("after") or ""), limit=MOST_KEYS)
    return {"items": found, "next": following}


def _items(db: Database, store: str, now: int, said: Said) -> Json:
    found, following = data.page(db, store, now, after=str(said.get("after") or ""), limit=MOST_KEYS)
    return {"items": [[kept.key, kept.value] for kept in found], "next": following}


def _set(db: Database, store: str, now: int, said: Said) -> Json:
    """Where ``revision`` or ``expected`` is said, only in place of that; what is missing has 0 and None for these."""

    def fits(before: data.Kept | None) -> bool:
        if "revision" in said:
            return bool(said["revision"] == (before.revision if before else 0))
        return "expected" not in said or _same(said["expected"], before.value if before else None)

    keeps_time = "ttl" not in said
    value, lives = said["value"], lifetime(said.get("ttl"))
    data.put(db, store, said["key"], value, now, lives=lives, keeps_time=keeps_time, guard=fits)
    return None


def _set_ttl(db: Database, store: str, now: int, said: Said) -> Json:
    data.set_lifetime(db, store, said["key"], lifetime(said["ttl"]), now)
    return None


def _incr(db: Database, store: str, now: int, said: Said) -> Json:
    return data.add(db, store, said["key"], said["by"], now).value


def _delete(db: Database, store: str, now: int, said: Said) -> Json:
    return data.delete(db, store, said["key"], now).value


def _clear(db: Database, store: str, now: int, said: Said) -> Json:
    data.clear(db, store)
    return None


READS: dict[str, Operation] = {"get": _get, "has": _has, "count": _count, "keys": _keys, "items": _items}
WRITES: dict[str, Operation] = {
    "set": _set,
    "set_ttl": _set_ttl,
    "incr": _incr,
    "delete": _delete,
    "clear": _clear,
}


def _same(one: Json, other: Json) -> bool:
    """Whether both are the same JSON: in Python, 1 is True."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


class DataHandler(KeyHandler):
    """What cells ask of data stores: ``{"op", "store", ...}``; answers ``{"result"}``, or a message and a reason."""

    def initialize(self, service: Service, max_value_bytes: int) -> None:
        self._service = service
        self._most = max_value_bytes

    @allow_unauthenticated
    async def post(self) -> None:
        try:
            self._answer(200, {"result": await self._result(self._service.active)})
        except FlowNBError as error:
            code = next((code for kind, code in CODES.items() if isinstance(error, kind)), 403)
            self._answer(code, {"message": str(error), "reason": error.reason})

    async def _result(self, active: Active) -> Json:
        execution, segment = proven(active.links.key, shown_key(self.request.headers.get("Authorization", "")))
        said = await self._said()
        op, store, now = str(said.get("op")), store_name(said.get("store")), self._service.clock.now()
        if "key" in said:
            store_key(said["key"])

        def job(db: Database) -> Json:
            demand_running(db, execution, segment)
            return {**READS, **WRITES}[op](db, store, now, said)

        try:
            return await (active.store.write(job) if op in WRITES else active.store.read(job))
        except LookupError as error:
            raise InvalidValue(f"data stores know no {op!r} without {error}") from None

    async def _said(self) -> Said:
        body = self.request.body
        if len(body) > self._most + BESIDES:
            raise InvalidValue(f"a value is at most {self._most:,} bytes as JSON (setting max_export_bytes)")
        read = partial(_read, body, self._most)
        return await asyncio.to_thread(read) if len(body) > LARGE else read()

    def _log(self) -> None:
        """In the access log, but for what is every day's: that a key is missing, or was changed meanwhile."""
        if self.get_status() not in (404, 409):
            super()._log()


def _read(body: bytes, most: int) -> Said:
    try:
        said = to_json(json.loads(body), "the body")
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"the body is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise InvalidValue("the body is a JSON object")
    sized(said.get("value"), "the value", most)
    return said


def routes(service: Service, max_value_bytes: int) -> list[tuple[str, Any, Any]]:
    arguments = {"service": service, "max_value_bytes": max_value_bytes}
    return [(r"/flownb/kernel/data", DataHandler, arguments)]
