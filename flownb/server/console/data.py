"""Data stores: what workflows keep, to look through, and to put right."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.data import store_key, store_name
from flownb.core.errors import InvalidValue
from flownb.core.jsonvalue import to_json
from flownb.core.model import Json
from flownb.server.api_data import put, size_view, value_view
from flownb.server.console.handler import ConsoleHandler
from flownb.store import data

PAGE = 50


class StoresHandler(ConsoleHandler):
    """All of them."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        found = await self.active.store.read(partial(data.stores, now=self.now))
        await self.show("stores.html", stores=[size_view(one) for one in found])


class StoreHandler(ConsoleHandler):
    """One of them, a page of keys at a time."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        await self.show_store(store_name(name))

    async def show_store(self, store: str, code: int = 200, wrong: dict[str, Json] | None = None) -> None:
        """``wrong`` is what was sent and cannot be taken, with what is wrong with it."""
        read = self.active.store.read
        prefix, after = self.wanted("prefix") or "", self.wanted("after") or ""
        found, following = await read(
            partial(data.page, store=store, now=self.now, prefix=prefix, after=after, limit=PAGE)
        )
        await self.show(
            "store.html",
            code,
            store=size_view(await read(partial(data.size, store=store, now=self.now))),
            items=[{**value_view(kept), "text": text(kept.value)} for kept in found],
            prefix=prefix,
            wrong=wrong,
            first=self.url("data", store, prefix=prefix) if after else None,
            following=self.url("data", store, prefix=prefix, after=following) if following else None,
        )


class PutHandler(StoreHandler):
    """Put a value in place of another, or where nothing is."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        store = store_name(name)
        said = {part: self.get_body_argument(part, "", strip=False) for part in ("key", "value", "ttl", "revision")}
        try:
            value = _parsed(said["value"])
            await put(self._service, store, said["key"], value, _number(said["ttl"]), _number(said["revision"]))
        except InvalidValue as error:
            await self.show_store(store, 422, {**said, "message": str(error)})
        else:
            self.go(self.url("data", store, said="kept"))


class DeleteHandler(ConsoleHandler):
    """Delete a key, or all of them."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        store, key = store_name(name), self.get_body_argument("key", None, strip=False)
        job: Any = partial(data.clear, store=store)
        if key is not None:
            job = partial(data.delete, store=store, key=store_key(key), now=self.now)
        await self.active.store.write(job)
        self.go(self.url("data", store, said="deleted"))


def text(value: Json) -> str:
    """A value as people edit it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _parsed(said: str) -> Json:
    try:
        return to_json(json.loads(said), "the value")
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f'the value is not JSON, such as 5, "text" or {{"a": 1}}: {error}') from None


def _number(said: str) -> Json:
    """None for nothing; a text that is no number is left for whoever knows what is wanted."""
    try:
        return json.loads(said) if said.strip() else None
    except ValueError:
        return said
