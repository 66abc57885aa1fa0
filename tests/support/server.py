"""A Jupyter server of our own, in a process that tests may kill, with a client for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_core.paths import jupyter_runtime_dir

from flownb.store.engines import engine
from flownb.testing import server as testing
from flownb.testing.server import CLOCK, PATIENCE, free_port
from tests.support import postgres
from tests.support.notebooks import write
from tests.support.replay import Told, replay

__all__ = ["PATIENCE", "REPOSITORY", "TOKEN", "Server", "free_port", "returned", "step"]

REPOSITORY = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
LIGHT = Path(__file__).with_name("light")
FRONT_ENDS = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")
"""Extensions that a server is without, unless a test opens its pages: they make up a third of its start."""
STORE = "FLOWNB_TEST_STORE"
"""In the environment: `postgres` has all servers keep their records there."""
OF_SQLITE = pytest.mark.skipif(os.environ.get(STORE) == "postgres", reason="looks into the file of SQLite")
LITTLE = "--FlowNB.preload=json"
"""What is there anyhow. To import pandas for each server, which few tests need, would take a second each."""


BEHIND: list[str] = []
"""What puts the kernels of all servers behind a gateway, where the tests are run so."""


class Server(testing.Server):
    """A server on a folder, with a client for its API as it is."""

    def __init__(
        self,
        root: Path,
        *settings: str,
        port: int | None = None,
        moving_clock: bool = False,
        front_ends: bool = False,
        store: str = "",
        name: str = "",
    ) -> None:
        """``store`` is the URL of a database; ``name`` tells servers on the same folder apart."""
        super().__init__(root, *settings, beside=root.parent / (name or root.name), token=TOKEN, port=port)
        if not any("preload" in setting for setting in settings):
            self.settings.append(LITTLE)
        if not any("shutdown_seconds" in setting for setting in settings):
            self.settings.append("--FlowNB.shutdown_seconds=0")
        self.store = store or (postgres.database_of(root) if os.environ.get(STORE) == "postgres" else "")
        if self.store:
            self.settings.append(f"--FlowNB.store={self.store}")
        self.runtime = Path(jupyter_runtime_dir())
        self.environment = {
            "PYTHONPATH": os.pathsep.join([str(LIGHT), str(REPOSITORY)]),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
        }
        if not front_ends:
            self.settings.append(f"--ServerApp.jpserver_extensions={dict.fromkeys(FRONT_ENDS, False)}")
        if not any(setting.startswith("--config") for setting in settings):
            self.settings += BEHIND
        if moving_clock:
            self.settings.append(f"--FlowNB.clock_class={CLOCK}")
        self.http = httpx.Client(headers={"Authorization": f"token {TOKEN}"}, base_url=self.api, timeout=PATIENCE)

    @property
    def api(self) -> str:
        return f"{self.url}flownb/api"

    def is_healthy(self) -> bool:
        """As the client of this class finds it, which tests may point elsewhere."""
        assert self.died is None, self.log.read_text()
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """The end, after which the record must bear to be told again."""
        super().close()
        self.http.close()
        if self.store or self.database.exists():
            self.replay()

    @property
    def database(self) -> Path:
        return self.root / ".flownb" / "flownb.db"

    def replay(self) -> dict[str, Told]:
        """All executions as their journal tells them, which is checked against the tables and the invariants."""
        return {told.execution.id: told for told in replay(engine(self.store, self.database))}

    def submit(self, notebook: str, data: Any = None) -> str:
        """Start an execution of a notebook; returns its id."""
        answer = self.http.post("/executions", json={"notebook": notebook, "data": data})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def run(self, *cells: Any, data: Any = None, **metadata: Any) -> str:
        """Start an execution of a notebook made of these cells."""
        name = f"n{len(list(self.root.glob('*.ipynb')))}.ipynb"
        return self.submit(write(self.root, name, *cells, **metadata), data)

    def get(self, execution: str) -> dict[str, Any]:
        answer = self.http.get(f"/executions/{execution}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def look(self, execution: str) -> dict[str, Any]:
        """How the execution stands, for whoever waits for it."""
        return self.get(execution)

    def wait(self, execution: str, *statuses: str, runs: int | None = None) -> dict[str, Any]:
        """The execution once it has one of these statuses and, if asked for, waits in that run of its step."""

        def arrived() -> dict[str, Any] | None:
            found = self.look(execution)
            there = found["status"] in statuses
            if there and runs is not None:
                there = found["waiting"] is not None and found["waiting"]["runs"] == runs
            final = found["status"] in ("succeeded", "failed", "cancelled")
            assert there or not final, f"ended as {found['status']}: {found['error']}"
            return found if there else None

        found: dict[str, Any] = self.until(arrived)
        return found

    def post(self, execution: str, action: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/executions/{execution}/{action}", json=body)


def step(execution: dict[str, Any], name: str) -> dict[str, Any]:
    """One step of an execution."""
    return next(one for one in execution["steps"] if one["name"] == name)


def returned(execution: dict[str, Any], name: str) -> Any:
    """What a step of an execution returned."""
    return step(execution, name)["exports"]["$return_value"]
