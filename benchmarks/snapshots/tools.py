"""One way for each tool to save a namespace and to bring it back, in a process of its own."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import nbformat

import __main__


class Tool(Protocol):
    """A tool: ``namespace`` is where it wants the variables to live."""

    namespace: dict[str, Any]

    def begin(self, folder: Path, code: str) -> None:
        """Called first, with the folder that everything goes to and the code that makes the variables."""

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


class Flownb(Tool):
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
        place = json.dumps({"folder": str(folder / "flownb"), "pool": str(folder / "pool")})
        file = f"{self._saved}.snapshot"
        answer = self._snapshot.save(place, file)
        (folder / "latest").write_text(json.dumps([place, file, answer.content["digest"]]))

    def load(self, folder: Path) -> None:
        self._snapshot.load(*json.loads((folder / "latest").read_text()))


class Dill(Tool):
    def __init__(self) -> None:
        self._dill: Any = import_module("dill")
        self.namespace: dict[str, Any] = vars(__main__)

    def save(self, folder: Path) -> None:
        self._dill.dump_module(folder / "session.pkl")

    def load(self, folder: Path) -> None:
        self._dill.load_module(folder / "session.pkl")


class Cloudpickle(Tool):
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


class Kishu(Tool):
    """Driven without a front end: a commit is what it does after each cell, a checkout what brings a state back."""

    def __init__(self) -> None:
        os.environ["ENV_KISHU_TEST_MODE"] = "true"
        self._shell: Any = import_module("IPython.core.interactiveshell").InteractiveShell.instance()
        self.namespace: dict[str, Any] = self._shell.user_ns
        self._kishu: Any = None

    def begin(self, folder: Path, code: str) -> None:
        """It watches which variables a cell touches, and may run its code again to restore them."""
        self._code = code
        notebook = folder / "notebook.ipynb"
        if not notebook.exists():
            notebook.write_text(nbformat.writes(nbformat.v4.new_notebook()))
        identity = import_module("kishu.notebook_id").NotebookId(key="k", path=notebook, kernel_id="k")
        self._kishu = import_module("kishu.jupyterint").KishuForJupyter(identity, self._shell)
        self.namespace = self._shell.user_ns
        self._kishu.pre_run_cell(None)

    def save(self, folder: Path) -> None:
        info = SimpleNamespace(raw_cell=self._code)
        ran = SimpleNamespace(info=info, execution_count=1, error_before_exec=None, error_in_exec=None, result=None)
        self._kishu.post_run_cell(ran)
        self._code = "pass"
        (folder / "commit").write_text(self._kishu._kishu_graph.head())
        self._kishu.pre_run_cell(None)

    def load(self, folder: Path) -> None:
        self._kishu.checkout((folder / "commit").read_text(), skip_notebook=True)


TOOLS: dict[str, Callable[[], Tool]] = {"flownb": Flownb, "dill": Dill, "cloudpickle": Cloudpickle, "kishu": Kishu}
