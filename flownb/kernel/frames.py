"""A namespace as a run of pickles, one per variable, that share one memo: what was one object before is one after."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from flownb.kernel.deepstack import on_deep_stack
from flownb.kernel.pickler import PREAMBLE, NamespacePickler, type_name
from flownb.kernel.process import random_states, set_random_states


class Variable(TypedDict):
    """What is on record about one variable; ``reason`` is also there where only a part of it was lost."""

    name: str
    type: str
    status: str
    reason: str | None
    step: str | None


class TooDeep(Exception):
    """A graph of objects is deeper than the stack."""


def write(
    namespace: dict[str, Any], names: list[str], origin: Callable[[str], str | None]
) -> tuple[bytes, list[Variable]]:
    """The pickles of the variables ``names``, and what became of each.

    Raises ``MemoryError``; whatever else goes wrong with a variable costs that variable only.
    """
    values = {name: namespace[name] for name in names}
    try:
        return _write(namespace, values, origin, give_up=False)
    except TooDeep:
        return on_deep_stack(lambda: _write(namespace, values, origin, give_up=True))


def read(frames: bytes, names: list[str]) -> dict[str, object]:
    """The variables by name. Raises what unpickling raises, with a note that names the variable."""
    unpickler = pickle.Unpickler(io.BytesIO(frames))  # noqa: S301 - checked by its digest
    unpickler.load()  # the preamble: the live namespace enters the memo
    values = {}
    for name in names:
        try:
            values[name] = unpickler.load()
        except Exception as error:
            error.add_note(f"variable {name!r}")
            raise
    set_random_states(unpickler.load())
    return values


def _write(
    namespace: dict[str, Any], values: Mapping[str, object], origin: Callable[[str], str | None], *, give_up: bool
) -> tuple[bytes, list[Variable]]:
    """A variable that fails half-way leaves the memo in pieces: begin again without it, until all is well."""
    failed: dict[str, str] = {}
    while True:
        file = io.BytesIO()
        file.write(PREAMBLE)
        pickler = NamespacePickler(file, namespace, origin)
        variables: list[Variable] = []
        for name, value in values.items():
            try:
                status, reason = (
                    pickler.dump_lost(name, value, failed[name])
                    if name in failed
                    else pickler.dump_variable(name, value)
                )
            except MemoryError:
                raise
            except Exception as error:
                if isinstance(error.__cause__, RecursionError) and not give_up:
                    raise TooDeep from error
                failed[name] = f"{type(error).__name__}: {error}"
                break
            variables.append(
                {"name": name, "type": type_name(value), "status": status, "reason": reason, "step": origin(name)}
            )
        else:
            pickler.dump(random_states())
            return file.getvalue(), variables
