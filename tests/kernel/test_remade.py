"""What setup cells make takes the place of what could not be carried, wherever it was held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .conftest import Kernel

SETUP = """
import socket, sqlite3
class Client:
    def __init__(self): self.calls, self.socket = 0, socket.socket()
connection = sqlite3.connect(":memory:")
client, settings = Client(), {"n": 1}
def query(text): return connection.execute(text).fetchone()[0]
"""

STEP = """
class Repository:
    def __init__(self, connection): self.connection, self.rows = connection, [1]
repository = Repository(connection)
alias, execute = connection, connection.execute
cursor = connection.cursor()
services = {"client": client, "all": [client, connection], "own": [socket.socket()]}
replaced, own = Client(), Client()
settings["n"] = 2
"""

AGAIN = "replaced = Client()"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Kernel], dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("notebooks")
    with ExitStack() as kernels:

        def start() -> Kernel:
            kernel = Kernel(folder)
            kernels.callback(kernel.close)
            kernel.prepare()
            for number, code in enumerate((SETUP, AGAIN)):
                assert kernel.step(code, step=f"setup_{number}", mode="setup").reply["status"] == "ok"
            return kernel

        first, second, third = start(), start(), start()
        assert first.step(STEP, step="work").reply["status"] == "ok"
        answer = first.save(folder / "1")
        _load(second, folder / "1", answer["digest"])
        _load(third, folder / "2", second.save(folder / "2")["digest"])
        yield [second, third], {each["name"]: each for each in answer["variables"]}


def _load(kernel: Kernel, path: Path, digest: str) -> None:
    loaded = kernel.load(path, digest)
    assert loaded["status"] == "ok", (loaded["ename"], loaded["evalue"])


@pytest.mark.parametrize("generation", [0, 1])
@pytest.mark.parametrize(
    "truth",
    [
        "query('select 6 * 7') == 42",
        "repository.connection is connection and repository.rows == [1]",
        "alias is connection and execute('select 7').fetchone()[0] == 7",
        "type(client) is Client and client.socket.fileno() > 0 and client.calls == 0",
        "services['client'] is client and services['all'] == [client, connection]",
        "settings == {'n': 2}",
        "own.calls == 0 and repr(own.socket) == '<lost: part of own, socket.socket>'",
        "repr(services['own'][0]) == '<lost: part of services, socket.socket>'",
        "repr(replaced.socket) == '<lost: part of replaced, socket.socket>'",
        "repr(cursor) == '<lost: cursor, sqlite3.Cursor>'",
    ],
)
def test_what_comes_back(saved: tuple[list[Kernel], dict[str, Any]], truth: str, generation: int) -> None:
    kernels, _ = saved
    assert kernels[generation].value(truth) == "True"


def test_the_record(saved: tuple[list[Kernel], dict[str, Any]]) -> None:
    _, variables = saved
    assert {name: variable["status"] for name, variable in variables.items() if variable["status"] != "kept"} == {
        "connection": "remade",
        "alias": "remade",
        "execute": "remade",
        "client": "remade",
        "Client": "remade",
        "cursor": "lost",
        "services": "partly",
        "replaced": "partly",
        "own": "partly",
    }
    assert variables["connection"]["step"] == "setup_0"
    assert variables["client"]["reason"].endswith("socket.socket: cannot pickle 'socket' object")
    assert variables["repository"]["reason"] is None


def test_an_author_may_rebind_what_a_setup_cell_made(
    saved: tuple[list[Kernel], dict[str, Any]], tmp_path: Path
) -> None:
    (kernel, _), _ = saved
    kernel.step("kept_name = connection; connection = 'mine'", step="later")
    variables = {each["name"]: each for each in kernel.save(tmp_path / "3")["variables"]}
    assert variables["connection"]["status"] == "kept"
    assert variables["kept_name"]["status"] == "lost"
    kernel.step("connection = alias", step="last")
