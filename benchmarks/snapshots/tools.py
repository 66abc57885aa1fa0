"""One way for each tool to save a namespace and to bring it back, in a process of its own."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import __main__


class Tool(Protocol):
    """A tool: ``namespace`` is where it wants the variables to live."""

    namespace: dict[str, Any]

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


class Flownb:
    """As in a kernel, but for the request; written with fsync."""

    def __init__(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        shell = InteractiveShell.instance()
        from flownb.kernel import snapshot

        self._snapshot = snapshot
        self._saved = 0
        self.namespace: dict[str, Any] = shell.user_ns

    def save(self, folder: Path) -> None:
        self._saved += 1
        file = str(folder / "flownb" / f"{self._saved}.snapshot")
        answer = self._snapshot.save(file, str(folder / "pool"))
        (folder / "latest").write_text(json.dumps([file, answer.content["digest"]]))

    def load(self, folder: Path) -> None:
        self._snapshot.load(*json.loads((folder / "latest").read_text()))


class Dill:
    def __init__(self) -> None:
        self._dill: Any = import_module("dill")
        self.namespace: dict[str, Any] = vars(__main__)

    def save(self, folder: Path) -> None:
        self._dill.dump_module(folder / "session.pkl")

    def load(self, folder: Path) -> None:
        self._dill.load_module(folder / "session.pkl")


class Cloudpickle:
    """The whole namespace as one dict, with buffers out of band, each in a file."""

    def __init__(self) -> None:
        import cloudpickle

        self._cloudpickle = cloudpickle
        self.namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}

    def save(self, folder: Path) -> None:
        buffers: list[pickle.PickleBuffer] = []
        kept = {name: value for name, value in self.namespace.items() if not name.startswith("__")}
        written = self._cloudpickle.dumps(kept, protocol=5, buffer_callback=buffers.append)
        (folder / "whole.pkl").write_bytes(written)
        for place, buffer in enumerate(buffers):
            (folder / f"{place}.buffer").write_bytes(buffer.raw())

    def load(self, folder: Path) -> None:
        count = len(list(folder.glob("*.buffer")))
        buffers = [bytearray((folder / f"{place}.buffer").read_bytes()) for place in range(count)]
        self.namespace.update(pickle.loads((folder / "whole.pkl").read_bytes(), buffers=buffers))


TOOLS: dict[str, Callable[[], Tool]] = {"flownb": Flownb, "dill": Dill, "cloudpickle": Cloudpickle}
