"""A record that moves to Postgres: what was paused goes on there by its old link; crashes are survived as before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx

from tests.conftest import MakeServer
from tests.support.command import COMMAND
from tests.support.notebooks import cell
from tests.support.postgres import new_database
from tests.support.server import OF_SQLITE, Server, returned

pytestmark = OF_SQLITE

LAST = "import os; [y, 'FLOWNB_STORE' in os.environ]"
CELLS = (cell("x = 41", "x"), cell("pd.flow.suspend(); y = x + 1", "y"), cell(LAST, "last"))


def migrate(source: str | Path, target: str | Path) -> str:
    command = [str(COMMAND), "migrate-store", "--from", str(source), "--to", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_paused_execution_goes_on_in_postgres_and_back_in_sqlite(make_server: MakeServer) -> None:
    url = new_database()

    def paused(server: Server) -> tuple[str, str]:
        execution = server.run(*CELLS)
        return execution, server.wait(execution, "suspended")["waiting"]["resume_url"]

    first = make_server().start()
    (one, link), (two, other) = paused(first), paused(first)
    first.stop()
    folder = first.root / ".flownb"
    assert "2 executions" in migrate(folder, url)

    second = make_server(root=first.root, port=first.port)
    second.store = second.environment["FLOWNB_STORE"] = url
    second.start()
    assert httpx.post(link).status_code == 200
    assert returned(second.wait(one, "succeeded"), "last") == [42, False]
    three, third_link = paused(second)
    second.kill()
    second.start()
    assert httpx.post(third_link).status_code == 200
    second.wait(three, "succeeded")
    second.stop()
    assert url not in second.log.read_text()

    (folder / "flownb.db").unlink()
    assert "3 executions" in migrate(url, folder)
    last = make_server(root=first.root, port=first.port).start()
    assert httpx.post(other).status_code == 200
    last.wait(two, "succeeded")
