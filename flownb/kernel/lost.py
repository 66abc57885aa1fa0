"""The placeholder for what cannot be carried from one kernel to the next, such as a socket."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

from flownb.core.errors import FlowNBError


class NotRestorable(FlowNBError):
    """Something was used that lived in an earlier kernel and could not be carried over."""

    reason = "not_restorable"
    loss: Loss | None = None


class Loss(NamedTuple):
    """What is known of something lost; ``whole`` where it is the variable itself and not a part of it."""

    variable: str
    whole: bool
    kind: str
    step: str | None
    cause: str

    def for_the_record(self) -> str:
        """Type and cause."""
        return f"{self.kind}: {self.cause}"

    def for_the_author(self) -> str:
        """The message of ``NotRestorable``: which variable, from which step, why, and what to do."""
        what = f"variable {self.variable!r}" if self.whole else f"a part of variable {self.variable!r}"
        where = f", made in step {self.step!r}," if self.step else ""
        return (
            f"{what} ({self.kind}){where} could not be carried over to this kernel: {self.cause}. "
            "Make it in a cell tagged `setup`: such cells run whenever a kernel is made ready."
        )


class Lost:
    """Stands where the object stood. Any use raises ``NotRestorable``; ``repr``, ``is`` and ``==`` do not."""

    __slots__ = ("__weakref__", "_loss")

    _loss: Loss

    def __init__(self, loss: Loss) -> None:
        object.__setattr__(self, "_loss", loss)

    def __repr__(self) -> str:
        part = "" if self._loss.whole else "part of "
        return f"<lost: {part}{self._loss.variable}, {self._loss.kind}>"

    def __reduce__(self) -> tuple[type[Lost], tuple[Loss]]:
        return Lost, (self._loss,)

    def __setstate__(self, state: object) -> None:
        """What ``rebuild`` could not rebuild has no use for its state."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # protocols that Python and libraries probe for
        _refuse(self)


def loss_of(lost: Lost) -> Loss:
    """What is known of it; not a method, since any use of a method is to be refused."""
    return lost._loss


def _refuse(lost: Lost, *_: object, **__: object) -> NoReturn:
    error = NotRestorable(lost._loss.for_the_author())
    error.loss = lost._loss
    raise error


_USES = """
    call iter next reversed len length_hint contains getitem setitem delitem missing bool int float complex index round
    fspath enter exit aenter aexit aiter anext await setattr delattr lt le gt ge neg pos abs invert
    add radd iadd sub rsub isub
    mul rmul imul matmul rmatmul imatmul truediv rtruediv itruediv floordiv rfloordiv ifloordiv mod rmod imod divmod
    rdivmod pow rpow ipow lshift rlshift ilshift rshift rrshift irshift and rand iand or ror ior xor rxor ixor
"""

for _use in _USES.split():
    setattr(Lost, f"__{_use}__", _refuse)


def rebuild(function: Any, arguments: tuple[object, ...]) -> object:
    """``function(*arguments)``, or the lost one among the arguments where that cannot be done without it.

    An iterator over a lost generator, a method of a lost socket, are lost themselves.
    """
    try:
        return function(*arguments)
    except Exception:
        for each in arguments:
            if type(each) is Lost:
                return each
        raise
