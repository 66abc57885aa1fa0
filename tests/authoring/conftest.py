"""A notebook that somebody writes: its file, a kernel, cells run in any order, buttons clicked as a front end does."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flownb.bridge.forkservers import ForkServers
from tests.bridge.forks import serving
from tests.kernel.conftest import Kernel, Ran, kernel
from tests.support.notebooks import notebook, write

__all__ = ["Author", "Open", "kernel", "model"]

Open = Callable[..., "Author"]

PRELOAD = ("ipywidgets", "flownb.authoring.magic")


class Author:
    """A person with a notebook open in a kernel of its own."""

    def __init__(self, folder: Path, servers: ForkServers, *cells: str | dict[str, Any]) -> None:
        self.cells = notebook(*cells)["cells"]
        self.file = folder / "written.ipynb"
        if cells:
            write(folder, self.file.name, *cells)
        self.kernel = Kernel(folder, servers, PRELOAD)
        self.type("%load_ext flownb")

    def run(self, place: int, source: str | None = None) -> Ran:
        """Shift+Enter on the cell at ``place``, which may have been edited and not saved."""
        cell = self.cells[place]
        return self.type(cell["source"] if source is None else source, cell["id"])

    def type(self, source: str, cell_id: str | None = None, **options: bool) -> Ran:
        """Run what is in no cell of the file, such as one just written, or what a front end runs by itself."""
        content = {"code": source, "user_expressions": {}, "allow_stdin": False}
        content |= {"silent": False, "store_history": True, **options}
        client = self.kernel.client
        message = client.session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
        client.shell_channel.send(message)
        return self.kernel._runner.run(self.kernel._wait(message["header"]["msg_id"]))

    def replies(self, sent: list[str]) -> list[str]:
        """The status of each of these requests, in order."""
        return [self.kernel._runner.run(self._reply(msg_id))["status"] for msg_id in sent]

    async def _reply(self, msg_id: str) -> dict[str, Any]:
        while True:
            reply = await self.kernel.client.get_shell_msg(timeout=20)
            if reply["parent_header"]["msg_id"] == msg_id:
                content: dict[str, Any] = reply["content"]
                return content

    def request(self, kind: str, **content: Any) -> dict[str, Any]:
        """What the kernel replies to a request that is no cell."""
        message = self.kernel.client.session.msg(kind, content)
        self.kernel.client.shell_channel.send(message)
        return self.kernel._runner.run(self._reply(message["header"]["msg_id"]))

    def ask(self, place_or_source: int | str) -> str:
        """What a cell shows; it must not raise."""
        ran = self.run(place_or_source) if isinstance(place_or_source, int) else self.type(place_or_source)
        assert ran.reply["status"] == "ok", ran.reply
        return ran.text.strip()

    def refused(self, place: int) -> str:
        """The error of a cell, which has no traceback."""
        (error,) = self.run(place).of_type("error")
        assert error["traceback"] == []
        return str(error["evalue"])

    def click(self, ran: Ran, label: str) -> str:
        """Press a button below a cell; what then stands below the buttons."""
        return self._tell(ran, model(ran, "description", label), {"method": "custom", "content": {"event": "click"}})

    def fill(self, ran: Ran, text: str, field: str = "Data") -> None:
        """Type into a field."""
        state = {"method": "update", "state": {"value": text}, "buffer_paths": []}
        self._tell(ran, model(ran, "description", field), state)

    def complaints(self, ran: Ran) -> str:
        """What stands next to the fields of a form."""
        texts = [each["comm_id"] for each in ran.of_type("comm_open") if _kind(each) == "HTMLModel"]
        return " ".join(self._state(comm_id, "value") for comm_id in texts)

    def disabled(self, ran: Ran, label: str) -> bool:
        """Whether a button below a cell can be pressed no more."""
        return self._state(model(ran, "description", label), "disabled") == "True"

    def _tell(self, ran: Ran, comm_id: str, data: dict[str, Any]) -> str:
        client = self.kernel.client
        message = client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        client.shell_channel.send(message)
        self.kernel._runner.run(self._idle(message["header"]["msg_id"]))
        return self._state(_children(ran)[-1], "value")

    def _state(self, comm_id: str, name: str) -> str:
        return self.kernel.value(f"__import__('ipywidgets').widgets.widget._instances[{comm_id!r}].{name}")

    async def _idle(self, msg_id: str) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                message = await self.kernel.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            ours = message["parent_header"].get("msg_id") == msg_id
            if ours and message["content"].get("execution_state") == "idle":
                return
        raise TimeoutError("no idle")


def model(ran: Ran, name: str, value: str) -> str:
    """The id of the widget that a cell made with that in its state."""
    (found,) = (each["comm_id"] for each in ran.of_type("comm_open") if each["data"]["state"].get(name) == value)
    return str(found)


def _children(ran: Ran) -> list[str]:
    """The widgets in the panel below a cell, from top to bottom: it was made last."""
    *_, panel = (each["data"]["state"] for each in ran.of_type("comm_open") if _kind(each) == "VBoxModel")
    return [str(child).removeprefix("IPY_MODEL_") for child in panel["children"]]


def _kind(comm_open: dict[str, Any]) -> str:
    return str(comm_open["data"]["state"].get("_model_name"))


@pytest.fixture(scope="session")
def servers() -> Iterator[ForkServers]:
    """They have imported what every test here needs: that would take longer than the tests."""
    made = ForkServers()
    assert asyncio.run(serving(made, PRELOAD, "python3")).refused is None
    yield made
    made.close()


@pytest.fixture
def author(servers: ForkServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens notebooks of these cells, saved; without cells, one that was never saved."""
    opened: list[Author] = []

    def open_(*cells: str | dict[str, Any]) -> Author:
        monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "written.ipynb"))
        opened.append(Author(tmp_path, servers, *cells))
        return opened[-1]

    yield open_
    for one in opened:
        one.kernel.close()
