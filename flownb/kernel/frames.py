"""A namespace as a run of pickles, one per variable, that share one memo: what was one object before is one after."""

from __future__ import annotations

import gc
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flownb.kernel.arrays import OUT_OF_BAND, Memory
from flownb.kernel.careful import CarefulUnpickler, loss_behind
from flownb.kernel.deepstack import on_deep_stack
from flownb.kernel.lost import Lost
from flownb.kernel.pickler import PREAMBLE, NamespacePickler, type_name
from flownb.kernel.process import random_states, set_random_states


@dataclass
class Frame:
    """The pickle of one variable, and what is on record about it; ``buffers`` are the places of those it brought in.

    ``reason`` says why it was lost, or a part of it.
    """

    name: str
    type: str
    status: str
    reason: str | None
    step: str | None
    size: int
    buffers: list[int] = field(default_factory=list)


@dataclass
class Pickled:
    """The pickles: a preamble of ``start`` bytes, the variables' ``frames`` in order, and what is the process's own.

    Large buffers stand apart; one that is memory of numpy arrays has its ``Memory``.
    """

    stream: memoryview
    start: int
    frames: list[Frame]
    buffers: list[tuple[pickle.PickleBuffer, Memory | None]]
    memories: list[Memory]

    @property
    def contents(self) -> list[memoryview]:
        """What is to be kept of each buffer."""
        return [memory.content if memory else buffer.raw() for buffer, memory in self.buffers]

    def each(self) -> Iterator[tuple[str, memoryview]]:
        """The variables with their pickles."""
        at = self.start
        for frame in self.frames:
            yield frame.name, self.stream[at : at + frame.size]
            at += frame.size


class TooDeep(Exception):
    """A graph of objects is deeper than the stack."""


def write(namespace: dict[str, Any], names: Iterable[str], origin: Callable[[str], str | None]) -> Pickled:
    """The pickles of the variables ``names``.

    Raises ``MemoryError``; whatever else goes wrong with a variable costs that variable only.
    """
    values = {name: namespace[name] for name in names}
    with _undisturbed():
        try:
            return _write(namespace, values, origin, give_up=False)
        except TooDeep:
            return on_deep_stack(lambda: _write(namespace, values, origin, give_up=True))


def read(stream: bytes, names: Iterable[str], buffers: Iterable[object], namespace: dict[str, Any]) -> None:
    """The variables into ``namespace``, each as soon as it is read: the code of those behind it may look it up.

    What is there under the name of one that was lost, stays. Raises what unpickling raises, with a note that names the
    variable.
    """
    names, buffers = list(names), list(buffers)
    before = dict(namespace)
    with _undisturbed():
        try:
            _read(pickle.Unpickler(io.BytesIO(stream), buffers=buffers), names, namespace)  # noqa: S301 - checked before
        except Exception as error:
            if loss_behind(error) is None:
                raise
            for name in namespace.keys() - before.keys():
                del namespace[name]
            namespace.update(before)
            _read(CarefulUnpickler(io.BytesIO(stream), buffers=buffers), names, namespace)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the search for garbage, which would go through millions of objects again and again."""
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if usual:
            gc.enable()


def _read(unpickler: pickle.Unpickler | CarefulUnpickler, names: Iterable[str], namespace: dict[str, Any]) -> None:
    unpickler.load()  # the preamble: the live namespace enters the memo
    for name in names:
        try:
            value = unpickler.load()
        except Exception as error:
            error.add_note(f"variable {name!r}")
            raise
        if not (type(value) is Lost and name in namespace):
            namespace[name] = value
    set_random_states(unpickler.load())


def _write(
    namespace: dict[str, Any], values: Mapping[str, object], origin: Callable[[str], str | None], *, give_up: bool
) -> Pickled:
    """A variable that fails half-way leaves the memo in pieces: begin again without it, until all is well."""
    failed: dict[str, str] = {}
    while True:
        try:
            return _attempt(namespace, values, origin, failed)
        except _Failed as failure:
            if isinstance(failure.cause.__cause__, RecursionError) and not give_up:
                raise TooDeep from failure.cause
            failed[failure.name] = f"{type(failure.cause).__name__}: {failure.cause}"


class _Failed(Exception):
    def __init__(self, name: str, cause: Exception) -> None:
        super().__init__(name)
        self.name = name
        self.cause = cause


def _attempt(
    namespace: dict[str, Any],
    values: Mapping[str, object],
    origin: Callable[[str], str | None],
    failed: Mapping[str, str],
) -> Pickled:
    file = io.BytesIO()
    file.write(PREAMBLE)
    apart: list[pickle.PickleBuffer] = []

    def in_band(buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < OUT_OF_BAND:
            return True
        apart.append(buffer)
        return False

    pickler = NamespacePickler(file, namespace, origin, in_band)
    frames: list[Frame] = []
    for name, value in values.items():
        at, known = file.tell(), len(apart)
        try:
            status, reason = (
                pickler.dump_lost(name, value, failed[name]) if name in failed else pickler.dump_variable(name, value)
            )
        except MemoryError:
            raise
        except Exception as error:
            raise _Failed(name, error) from error
        brought = list(range(known, len(apart)))
        frames.append(Frame(name, type_name(value), status, reason, origin(name), file.tell() - at, brought))
    pickler.dump(random_states())
    memories = pickler.arrays.memories
    of = {id(memory.buffer): memory for memory in memories}
    buffers = [(buffer, of.get(id(buffer))) for buffer in apart]
    return Pickled(file.getbuffer(), len(PREAMBLE), frames, buffers, memories)
