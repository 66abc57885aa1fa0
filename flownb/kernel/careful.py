"""Reads snapshots where remaking an object takes something that is lost: then that object is lost too, and no other.

Slow, being Python; for snapshots that pickle's own unpickler has failed on.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, ClassVar

from flownb.kernel.lost import Loss, Lost, NotRestorable
from flownb.kernel.remake import fill_object

_BUILD: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.BUILD[0]]


class CarefulUnpickler(pickle._Unpickler):
    """Puts a placeholder where a call fails for the sake of one, and goes on."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]

    def _call(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = _attempt(self.stack[-1], arguments)

    def _make(self) -> None:
        arguments = self.stack.pop()
        kind = self.stack[-1]
        self.stack[-1] = _attempt(kind.__new__, (kind, *arguments))

    def _fill(self) -> None:
        made, state = self.stack[-2:]
        try:
            _BUILD(self)
        except Exception as error:
            if loss_behind(error) is None:
                raise
            fill_object(made, state)  # instead of a method of its class

    dispatch[pickle.REDUCE[0]] = _call
    dispatch[pickle.NEWOBJ[0]] = _make
    dispatch[pickle.BUILD[0]] = _fill


def loss_behind(error: BaseException | None) -> Loss | None:
    """What was lost, where ``error`` comes from the use of a placeholder."""
    while error is not None:
        if isinstance(error, NotRestorable):
            return error.loss
        error = error.__cause__ or error.__context__
    return None


def _attempt(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    try:
        return function(*arguments)
    except Exception as error:
        loss = loss_behind(error)
        if loss is None:
            raise
        return Lost(loss._replace(whole=False))
