"""The kernel of an opened execution, as a person has it before them in JupyterLab."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from flownb.testing.server import PATIENCE
from tests.support.notebooks import cell
from tests.support.server import TOKEN, Server

HOUR = 3_600_000
LOAD = cell("rows = [1]\nalias = rows\nprint('loaded')\npd.export('size', 1)", "load")
ASK = cell("rows.append(2)\npd.flow.suspend(reason='look');", "ask")
LOOK = cell("[rows, alias is rows, pd.context.resume and pd.context.resume.body]", "look")
CELLS = (LOAD, ASK, LOOK)


class OpenedKernel:
    """Runs cells by hand in the kernel of an answer to ``open``."""

    def __init__(self, server: Server, answer: dict[str, Any]) -> None:
        self.id: str = answer["kernel_id"]
        self.path: str = answer["path"]
        self.file = server.root / answer["path"]
        self._client = BlockingKernelClient(connection_file=str(server.runtime / f"kernel-{self.id}.json"))
        self._client.load_connection_file()
        self._client.start_channels(hb=False)

    def run(self, code: str) -> str:
        """What a cell prints and shows; raises ``AssertionError`` with the error's text where it raises."""
        said: list[str] = []
        reply = self._client.execute_interactive(
            code, output_hook=lambda message: said.append(_text(message)), timeout=PATIENCE
        )
        assert reply["content"]["status"] == "ok", f"{reply['content']['ename']}: {reply['content']['evalue']}"
        return "".join(said).strip()

    def value(self, code: str) -> Any:
        """The value of an expression that is JSON."""
        return json.loads(self.run(f"print(__import__('json').dumps({code}))"))

    def send(self, code: str) -> None:
        """Start a cell, and do not wait for its end."""
        self._client.execute(code)

    def edit(self, step: str, source: str) -> None:
        """Change a cell in the notebook's file, as saving it in JupyterLab would."""
        notebook = json.loads(self.file.read_text())
        (cell,) = (cell for cell in notebook["cells"] if cell["metadata"].get("name") == step)
        cell["source"] = source
        self.file.write_text(json.dumps(notebook))

    def close(self) -> None:
        self._client.stop_channels()
        self._client.context.destroy(linger=0)


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return str(content.get("text") or content.get("data", {}).get("text/plain", ""))


@contextmanager
def opened(server: Server, execution: str, **body: Any) -> Iterator[OpenedKernel]:
    """Open an execution, and end its kernel afterwards."""
    answer = server.post(execution, "open", **body)
    assert answer.status_code == 201, answer.text
    kernel = OpenedKernel(server, answer.json())
    try:
        yield kernel
    finally:
        kernel.close()
        for session in sessions(server):
            if session["kernel"]["id"] == kernel.id:
                jupyter(server, "DELETE", f"sessions/{session['id']}")


def continued(kernel: OpenedKernel, arguments: str = "") -> str:
    """What ``pd.continue_`` prints."""
    return kernel.run(f"pd.continue_({arguments})")


def refused(kernel: OpenedKernel, arguments: str = "") -> str:
    """What ``pd.continue_`` raises."""
    with pytest.raises(AssertionError) as error:
        continued(kernel, arguments)
    return str(error.value)


def new_id(said: str) -> str:
    """The id of the new execution, from the words of ``pd.continue_``."""
    found = re.search(r"Execution (\w+) goes on from step .* as a replay of", said)
    assert found, said
    return found[1]


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Code, reason and message of an answer."""
    said = answer.json()
    return answer.status_code, said["reason"], said["message"]


def sessions(server: Server) -> list[dict[str, Any]]:
    """Those that Jupyter knows."""
    found: list[dict[str, Any]] = jupyter(server, "GET", "sessions").json()
    return found


def jupyter(server: Server, method: str, path: str) -> httpx.Response:
    """A call to Jupyter Server's own API."""
    headers = {"Authorization": f"token {TOKEN}"}
    url = f"http://127.0.0.1:{server.port}/api/{path}"
    return httpx.request(method, url, headers=headers, timeout=PATIENCE)


def snapshot_files(server: Server, execution: str) -> list[Path]:
    """The files of an execution's checkpoints."""
    folder = server.root / ".flownb/snapshots" / execution
    return sorted(file for file in folder.rglob("*") if file.is_file())
