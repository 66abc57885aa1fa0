"""``pd.inputs``: the values that the notebook's settings declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from flownb.core.payload import MASK
from flownb.kernel.data_store import DataStore
from flownb.kernel.record import Record, listed, record


class Inputs(Record):
    """Read as ``pd.inputs["x"]`` and ``pd.inputs.x``. Secrets are plain ``str``; shown as a whole, they are masked."""

    __slots__ = ("_secrets",)

    def __init__(self, values: Mapping[str, object], secrets: frozenset[str] = frozenset()) -> None:
        dict.__init__(self, {name: record(value) for name, value in values.items()})
        self._secrets = secrets

    @classmethod
    def told(cls, told: Mapping[str, Mapping[str, Any]]) -> Inputs:
        """As the server says them: ``{"value": ...}``, ``{"secret": its value}`` or ``{"data_store": its name}``."""
        values = {name: _value(**one) for name, one in told.items()}
        return cls(values, frozenset(name for name, one in told.items() if "secret" in one))

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(_unknown(name, self))

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(_unknown(name, self))

    def __repr__(self) -> str:
        return repr({name: MASK if name in self._secrets else value for name, value in self.items()})

    def __reduce__(self) -> tuple[type[Inputs], tuple[dict[str, object], frozenset[str]]]:
        return Inputs, (dict(self), self._secrets)


class Undeclared(Inputs):
    """What cells have that are run by hand: nobody knows of which notebook they are."""

    __slots__ = ()

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(f"{name!r}: {_BY_HAND}")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name!r}: {_BY_HAND}")

    def __reduce__(self) -> Any:
        return Undeclared, ({},)


UNDECLARED = Undeclared({})

_BY_HAND = (
    "inputs are settings of the notebook (`metadata.flownb.inputs`), and are there in executions and after "
    "`%flownb simulate on`"
)


def _value(value: object = None, secret: str | None = None, data_store: str | None = None) -> object:
    return DataStore(data_store) if data_store is not None else secret if secret is not None else value


def _unknown(name: str, known: Mapping[str, object]) -> str:
    return f"no input {name!r} is declared (`metadata.flownb.inputs` of the notebook): there is {listed(known)}"
