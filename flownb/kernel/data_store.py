"""``pd.data_store``: values that stay from one execution to the next."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from typing import Any, cast

from flownb.core.data import Changed, NoSuchKey, lifetime, store_key, store_name
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import sized, to_json
from flownb.kernel.cells import running

TRIES = 1_000
"""So often ``update`` begins anew where somebody else was faster; each time somebody has got on."""

_NONE: Any = object()


class DataStore(Mapping[str, Any]):
    """A dict on disk, for all executions of this server: keys are ``str``, values are JSON.

    What a call has written is on disk when it returns. Values are copies: to keep a change inside one, assign it
    again. A value has a lifetime only where ``ttl`` gives it one, in seconds; then it is as if it were not there.
    """

    def __init__(self, name: str) -> None:
        self._name = store_name(name)

    @property
    def name(self) -> str:
        return self._name

    def __getitem__(self, key: str) -> Any:
        found = self._ask("get", key=store_key(key))
        if not found["found"]:
            raise KeyError(key)
        return found["value"]

    def __setitem__(self, key: str, value: object) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self._ask("has", key=store_key(key)))

    def __len__(self) -> int:
        return int(self._ask("count"))

    def __iter__(self) -> Iterator[str]:
        """Keys in their order, a page at a time; what is put or deleted meanwhile may be among them or not."""
        return cast("Iterator[str]", self._pages("keys"))

    def items(self) -> ItemsView[str, Any]:
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        return _Values(self)

    def set(self, key: str, value: object, ttl: float | None = None) -> None:
        """Keep a value, for ``ttl`` seconds or for ever. Raises ``InvalidValue`` that names what is not JSON."""
        self._ask("set", key=store_key(key), value=self._copy(key, value), ttl=_seconds(ttl))

    def set_ttl(self, key: str, ttl: float | None) -> None:
        """Keep what is there for ``ttl`` seconds from now on, None for ever. Raises ``KeyError``."""
        try:
            self._ask("set_ttl", key=store_key(key), ttl=_seconds(ttl))
        except NoSuchKey:
            raise KeyError(key) from None

    def pop(self, key: str, default: Any = _NONE) -> Any:
        """Delete a key and give what was there, else ``default``; raises ``KeyError`` without one."""
        try:
            return self._ask("delete", key=store_key(key))
        except NoSuchKey:
            if default is _NONE:
                raise KeyError(key) from None
            return default

    def setdefault(self, key: str, default: object = None) -> Any:
        """What is there; where nothing is, ``default`` is put there. Of several at once, one puts its own there."""
        value = self._copy(key, default)
        while not (found := self._ask("get", key=store_key(key)))["found"]:
            try:
                self._ask("set", key=key, value=value, revision=0)
            except Changed:
                continue
            return value
        return found["value"]

    def clear(self) -> None:
        """Delete all keys."""
        self._ask("clear")

    def incr(self, key: str, by: float = 1) -> Any:
        """Add to a number and give the sum, at once whoever else does the same; what is missing counts as 0.

        Raises ``InvalidValue`` where something else is there.
        """
        return self._ask("incr", key=store_key(key), by=to_json(by, "by"))

    def update(self, key: str, fn: Callable[[Any], object], default: object = None) -> Any:
        """Replace a value by ``fn`` of it, or of ``default`` where it is missing, and give the new one.

        Where somebody else changes it meanwhile, ``fn`` is called again with what they put there: it is to do nothing
        but make the new value of the old. A lifetime goes on.
        """
        for _ in range(TRIES):
            found = self._ask("get", key=store_key(key))
            value = found["value"] if found["found"] else self._copy(key, default)
            new = self._copy(key, fn(value))
            try:
                self._ask("set", key=key, value=new, revision=found["revision"])
            except Changed:
                continue
            return new
        raise FlowNBError(f"{key!r} of data store {self._name!r} was changed by others {TRIES:,} times in a row")

    def compare_and_set(self, key: str, expected: object, new: object) -> bool:
        """Put ``new`` in place of ``expected``, None where nothing is to be there; False where something else is."""
        before, value = self._copy(key, expected), self._copy(key, new)
        try:
            self._ask("set", key=store_key(key), value=value, expected=before)
        except Changed:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataStore) and other.name == self._name

    def __hash__(self) -> int:
        return hash((DataStore, self._name))

    def __repr__(self) -> str:
        return f"pd.data_store({self._name!r})"

    def __reduce__(self) -> tuple[type[DataStore], tuple[str]]:
        return DataStore, (self._name,)

    def _ask(self, op: str, **said: object) -> Any:
        return running().data.ask(op, self._name, **said)

    def _copy(self, key: object, value: object) -> object:
        return sized(value, f"{self._name}[{key!r}]", running().most_bytes)

    def _pages(self, op: str) -> Iterator[Any]:
        after: str | None = None
        while True:
            page = self._ask(op, after=after)
            yield from page["items"]
            if (after := page["next"]) is None:
                return


class _Items(ItemsView[str, Any]):
    def __init__(self, store: DataStore) -> None:
        super().__init__(store)
        self._store = store

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((key, value) for key, value in self._store._pages("items"))


class _Values(ValuesView[Any]):
    def __init__(self, store: DataStore) -> None:
        super().__init__(store)
        self._store = store

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in self._store._pages("items"))


def _seconds(ttl: object) -> object:
    lifetime(ttl)
    return ttl
