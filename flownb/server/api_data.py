"""Data stores and the names of secrets by the REST API."""

from __future__ import annotations

from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.data import NoSuchKey, lifetime, store_key, store_name
from flownb.core.errors import InvalidValue
from flownb.core.jsonvalue import sized
from flownb.core.model import Json
from flownb.core.times import iso
from flownb.server.handler import FlowHandler
from flownb.server.secrets import is_there
from flownb.server.service import Service
from flownb.store import data
from flownb.store.data import Kept, StoreSize


class StoresHandler(FlowHandler):
    """All data stores that have something."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        found = await self.active.store.read(partial(data.stores, now=self._service.clock.now()))
        self.answer(200, {"stores": [size_view(one) for one in found]})


class StoreHandler(FlowHandler):
    """What one of them has."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        store, now = store_name(name), self._service.clock.now()
        limit, prefix, after = self.limit(), self._said("prefix"), self._said("after")
        read = self.active.store.read
        size = await read(partial(data.size, store=store, now=now))
        page = partial(data.page, store=store, now=now, prefix=prefix, after=after, limit=limit)
        found, following = await read(page)
        items = [value_view(kept) for kept in found]
        await self.answer_large(200, {**size_view(size), "items": items, "next": following})

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        await self.active.store.write(partial(data.clear, store=store_name(name)))
        self.set_status(204)
        self.finish()

    def _said(self, name: str) -> str:
        said = self.get_query_argument(name, "", strip=False)
        return store_key(said) if said else ""


class ValueHandler(FlowHandler):
    """One value."""

    @web.authenticated
    @authorized
    async def get(self, name: str, key: str) -> None:
        store, now = store_name(name), self._service.clock.now()
        kept = await self.active.store.read(partial(data.get, store=store, key=store_key(key), now=now))
        if kept is None:
            raise NoSuchKey(store, key)
        await self.answer_large(200, value_view(kept))

    @web.authenticated
    @authorized
    async def put(self, name: str, key: str) -> None:
        body = self.body("value", "ttl", "revision")
        if "value" not in body:
            raise InvalidValue("the body has a `value`")
        kept = await put(self._service, name, key, body["value"], body.get("ttl"), body.get("revision"))
        await self.answer_large(200, value_view(kept))

    @web.authenticated
    @authorized
    async def delete(self, name: str, key: str) -> None:
        now = self._service.clock.now()
        await self.active.store.write(partial(data.delete, store=store_name(name), key=store_key(key), now=now))
        self.set_status(204)
        self.finish()


class SecretsHandler(FlowHandler):
    """Which secrets the deployed workflows need, and whether they are there; never what they are."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        needed: dict[str, list[str]] = {}
        for deployed in self.active.deployments:
            settings = deployed.workflow.settings
            names = {one.secret for one in settings.inputs.values() if one.secret is not None}
            names |= {settings.hook.auth.secret} if settings.hook.auth else set()
            for name in names:
                needed.setdefault(name, []).append(deployed.deployment.name)
        found = [
            {"name": name, "there": await is_there(name), "workflows": sorted(workflows)}
            for name, workflows in sorted(needed.items())
        ]
        self.answer(200, {"secrets": found})


async def put(service: Service, name: str, key: str, value: Json, ttl: Json, revision: Json = None) -> Kept:
    """Keep a value, in place of the one with that ``revision`` alone where one is said; 0 stands for none.

    Raises ``InvalidValue``, ``Changed`` or ``StoreError``.
    """
    store, place, lives = store_name(name), store_key(key), lifetime(ttl)
    sized(value, "the value", service.config.limits.max_export_bytes)

    def fits(before: Kept | None) -> bool:
        return revision is None or revision == (before.revision if before else 0)

    now = service.clock.now()
    job = partial(data.put, store=store, key=place, value=value, now=now, lives=lives, guard=fits)
    return await service.active.store.write(job)


def size_view(size: StoreSize) -> dict[str, Json]:
    return {"name": size.name, "keys": size.keys, "bytes": size.bytes}


def value_view(kept: Kept) -> dict[str, Json]:
    return {
        "key": kept.key,
        "value": kept.value,
        "bytes": kept.size,
        "revision": kept.revision,
        "changed_at": iso(kept.changed_at),
        "expires_at": iso(kept.expires_at),
    }


ROUTES: list[tuple[str, type[FlowHandler]]] = [
    (r"/flownb/api/data", StoresHandler),
    (r"/flownb/api/data/([^/]+)", StoreHandler),
    (r"/flownb/api/data/([^/]+)/([^/]+)", ValueHandler),
    (r"/flownb/api/secrets", SecretsHandler),
]
