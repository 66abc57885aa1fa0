"""The dicts behind ``pd.steps`` and ``pd.context``: read as ``x["k"]`` and as ``x.k`` alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar


class Record(dict[str, Any]):
    """A real dict whose keys are also attributes; dicts inside it, in lists too, are Records.

    Names of dict's own methods (``items``, ``get``, ...) stay methods: read data of such a name as ``x["items"]``.
    """

    __slots__ = ()

    optional: ClassVar[Mapping[str, str]] = {}
    """Attributes that always exist, with the key each stands for: None where the key is absent."""

    def __init__(self, data: Mapping[str, object]) -> None:
        super().__init__({key: record(value) for key, value in data.items()})

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name in self.optional:
            return self.get(self.optional[name])
        raise AttributeError(f"no {name!r} here: there is {listed(self)}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.optional, *(key for key in self if key.isidentifier())]


class Run(Record):
    """``pd.context.run``: ``runs``, ``context``, and ``callback_request`` where a request caused this run."""

    __slots__ = ()
    optional: ClassVar = {"callback_request": "callback_request"}


class StepRecord(Record):
    """What a step exported. Where its return value is a dict, the keys of that are found here directly too."""

    __slots__ = ()
    optional: ClassVar = {"return_value": "$return_value", "resume_data": "$resume_data"}

    def __missing__(self, key: str) -> Any:
        returned = self._returned()
        if key in returned:
            return returned[key]
        raise KeyError(f"{key!r} is not among the step's exports: {listed([*self, *returned])}")

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self._returned()

    def get(self, key: str, default: Any = None) -> Any:
        """The export ``key``, else that key of the returned dict, else ``default``."""
        try:
            return self[key]
        except KeyError:
            return default

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._returned()]

    def _returned(self) -> dict[str, Any]:
        value = super().get("$return_value")
        return value if isinstance(value, dict) else {}


class Steps(Record):
    """``pd.steps``: the trigger and every step that has exported, by name."""

    __slots__ = ()

    def __init__(self, data: Mapping[str, Mapping[str, object]]) -> None:
        kinds = {"trigger": Record}
        dict.__init__(self, {name: kinds.get(name, StepRecord)(exports) for name, exports in data.items()})

    def __missing__(self, name: str) -> Any:
        raise KeyError(f"no step {name!r} has exported yet: there is {listed(self)}")


class Context(Record):
    """``pd.context``: what is known of this run of the step."""

    __slots__ = ()

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self["run"] = Run(data["run"])


def record(value: object) -> object:
    """``value`` with every dict in it, at any depth, made a Record."""
    if isinstance(value, dict):
        return Record(value)
    if isinstance(value, list):
        return [record(item) for item in value]
    return value


def listed(names: Iterable[object]) -> str:
    """Names for an error's message."""
    return ", ".join(repr(name) for name in names) or "nothing"
