"""Data stores of this process alone, for cells that a person runs: with the rules of the server's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from flownb.core.data import Changed, NoSuchKey, incremented, lifetime
from flownb.core.jsonvalue import dumps

SAID = "Outside an execution, data stores are empty and in memory: what is put there ends with this kernel."


@dataclass
class _Kept:
    value: str
    revision: int
    expires_at: float | None


class Memory:
    """Keeps values as they would be on disk; says once that it does not. May be used from several threads."""

    def __init__(self, say: Callable[[str], None] = print, clock: Callable[[], float] = time.time) -> None:
        self._say: Callable[[str], None] | None = say
        self._clock = clock
        self._lock = threading.RLock()
        self._stores: dict[str, dict[str, _Kept]] = {}
        self._revisions = count(1)

    def ask(self, op: str, store: str, **said: Any) -> Any:
        """What the server would say. Raises ``NoSuchKey``, ``Changed`` or ``InvalidValue``."""
        with self._lock:
            if self._say is not None:
                self._say(SAID)
                self._say = None
            now = self._clock()
            kept = self._stores.setdefault(store, {})
            for key in [key for key, one in kept.items() if one.expires_at is not None and one.expires_at <= now]:
                del kept[key]
            return getattr(self, f"_{op}")(store, kept, now, **said)

    def _get(self, store: str, kept: dict[str, _Kept], now: float, key: str) -> Any:
        one = kept.get(key)
        return {"found": bool(one), "value": one and json.loads(one.value), "revision": one.revision if one else 0}

    def _has(self, store: str, kept: dict[str, _Kept], now: float, key: str) -> bool:
        return key in kept

    def _count(self, store: str, kept: dict[str, _Kept], now: float) -> int:
        return len(kept)

    def _keys(self, store: str, kept: dict[str, _Kept], now: float, after: str | None) -> Any:
        return {"items": sorted(kept), "next": None}

    def _items(self, store: str, kept: dict[str, _Kept], now: float, after: str | None) -> Any:
        return {"items": [[key, json.loads(kept[key].value)] for key in sorted(kept)], "next": None}

    def _set(self, store: str, kept: dict[str, _Kept], now: float, key: str, value: object, **said: Any) -> None:
        before = kept.get(key)
        if "revision" in said and said["revision"] != (before.revision if before else 0):
            raise Changed(store, key)
        if "expected" in said and _sorted(said["expected"]) != _sorted(before and json.loads(before.value)):
            raise Changed(store, key)
        keeps = before.expires_at if before else None
        expires_at = _until(now, said["ttl"]) if "ttl" in said else keeps
        kept[key] = _Kept(dumps(value), next(self._revisions), expires_at)

    def _set_ttl(self, store: str, kept: dict[str, _Kept], now: float, key: str, ttl: object) -> None:
        if key not in kept:
            raise NoSuchKey(store, key)
        kept[key].expires_at = _until(now, ttl)

    def _incr(self, store: str, kept: dict[str, _Kept], now: float, key: str, by: object) -> Any:
        before = kept.get(key)
        total = incremented(before and json.loads(before.value), by, key)
        self._set(store, kept, now, key, total)
        return total

    def _delete(self, store: str, kept: dict[str, _Kept], now: float, key: str) -> Any:
        if key not in kept:
            raise NoSuchKey(store, key)
        return json.loads(kept.pop(key).value)

    def _clear(self, store: str, kept: dict[str, _Kept], now: float) -> None:
        kept.clear()


def _until(now: float, ttl: object) -> float | None:
    lives = lifetime(ttl)
    return None if lives is None else now + lives / 1000


def _sorted(value: object) -> str:
    return json.dumps(value, sort_keys=True)


BY_HAND = Memory()
"""What all cells have in common that are run in this kernel by hand."""
