"""The client against a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flownb.client import ApiError, Client, NoServer
from tests.client_support import Server


def test_an_execution_from_its_start_to_its_removal(server: Server) -> None:
    client = server.client
    started = client.start(server.root / "quick.ipynb", {"a": 1})
    assert started["notebook"] == "quick.ipynb"
    assert started["trigger"]["event"] == {"body": {"a": 1}}
    *_, ended = client.follow(started["id"])
    assert ended["status"] == "succeeded"
    assert ended == client.execution(started["id"])
    assert [cell["metadata"]["name"] for cell in client.notebook(started["id"])["cells"]] == ["one", "two"]
    client.delete(started["id"])
    with pytest.raises(ApiError, match="there is no execution") as error:
        client.execution(started["id"])
    assert (error.value.code, error.value.reason) == (404, "not_found")


def test_a_list_comes_in_pages(server: Server) -> None:
    client = server.client
    ids = [server.waiting("ask.ipynb")["id"] for _ in range(2)]
    first = client.executions(status="suspended", workflow="ask.ipynb", limit=1)
    assert [execution["id"] for execution in first["executions"]] == ids[1:]
    second = client.executions(status="suspended", workflow="ask.ipynb", limit=1, before=first["next"])
    assert [execution["id"] for execution in second["executions"]] == ids[:1]
    with pytest.raises(ApiError, match="status is one of"):
        client.executions(status="asleep")
    assert {answer["status"] for answer in client.decide_many("cancel", ids)} == {"cancelled"}


def test_decisions(server: Server) -> None:
    client = server.client
    execution = server.waiting("ask.ipynb")["id"]
    assert client.resume(execution, {"yes": True})["status"] == "resumed"
    *_, ended = client.follow(execution)
    assert ended["steps"][1]["exports"] == {"$return_value": {"yes": True}}
    with pytest.raises(ApiError) as error:
        client.cancel(execution)
    assert error.value.code == 410
    another = server.waiting("ask.ipynb")["id"]
    assert client.cancel(another)["status"] == "cancelled"
    assert client.cancel(another)["status"] == "already_cancelled"


def test_a_drained_server_admits_nothing(server: Server) -> None:
    client = server.client
    assert client.drain()["draining"] is True
    assert client.health()["status"] == "draining"
    waiting = client.start("quick.ipynb")
    assert client.drain(False)["draining"] is False
    assert [*client.follow(waiting["id"])][-1]["status"] == "succeeded"


@pytest.mark.parametrize("name", ["", "../../x", "a/b", "?", "resume", "ü"])
def test_an_id_that_is_none_is_not_found(server: Server, name: str) -> None:
    with pytest.raises(ApiError) as error:
        server.client.notebook(name)
    assert error.value.code == 404


def test_a_wrong_token_is_refused(server: Server) -> None:
    client = Client(server.client.url, "wrong")
    with pytest.raises(ApiError) as error:
        client.health()
    assert error.value.code == 403
    client.close()


def test_nothing_listens() -> None:
    client = Client("http://127.0.0.1:1/", "token-in-the-request")
    with pytest.raises(NoServer, match="does not answer") as error:
        client.health()
    assert "token-in-the-request" not in str(error.value)
    with pytest.raises(NoServer, match="does not answer"):
        client.events()
    client.close()


@pytest.fixture
def another_server() -> Iterator[str]:
    class NotFound(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_server_without_flownb(another_server: str) -> None:
    client = Client(another_server)
    for call in (client.health, client.events):
        with pytest.raises(ApiError, match="has no flownb API") as error:
            call()
        assert error.value.reason == "no_api"
    client.close()


def test_a_path_that_is_not_in_the_root_folder_is_left_to_the_server(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="there is no notebook"):
        server.client.start(tmp_path / "elsewhere.ipynb")
