"""Streams of events, also when connections break."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flownb.client import ApiError, Client, events
from tests.client_support import Server


def test_every_change_of_an_execution_is_told(server: Server) -> None:
    with server.client.events() as changes:
        started = server.client.start("quick.ipynb")
        told = []
        for change in changes:
            if change["execution"] == started["id"]:
                told.append(change["status"])
            if told[-1:] == ["succeeded"]:
                break
    assert told == ["queued", *["running"] * (len(told) - 2), "succeeded"]


def test_following_shows_the_pause_and_the_end(server: Server) -> None:
    started = server.client.start("ask.ipynb")
    seen = []
    for execution in server.client.follow(started["id"]):
        seen.append(execution["status"])
        if execution["status"] == "suspended":
            server.client.resume(started["id"])
    assert seen[-1] == "succeeded"
    assert "suspended" in seen
    assert [execution["status"] for execution in server.client.follow(started["id"])] == ["succeeded"]


class Breaking:
    """Sends one event a connection, then hangs up; every other connection is refused."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.refusal = 503


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Breaking, Client]]:
    monkeypatch.setattr(events, "PAUSE", 0.01)
    behaviour = Breaking()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.asked.append(self.headers["Last-Event-ID"])
            number = len(behaviour.asked)
            if number % 2 == 0:
                self.send_response(behaviour.refusal)
                self.end_headers()
                self.wfile.write(b'{"message": "not now", "reason": "starting"}')
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f'id: {number * 10}\n\nid: {number * 10 + 1}\ndata: {{"seq": {number}}}\n\n'.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        client = Client(f"http://127.0.0.1:{listening.server_port}")
        yield behaviour, client
        client.close()
        listening.shutdown()


def test_a_broken_stream_goes_on_behind_the_last_event(breaking: tuple[Breaking, Client]) -> None:
    behaviour, client = breaking
    with client.events() as changes:
        assert [next(changes)["seq"] for _ in range(3)] == [1, 3, 5]
    assert behaviour.asked == [None, "11", "11", "31", "31"]


def test_a_server_that_does_not_come_back_in_time(
    breaking: tuple[Breaking, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PATIENCE", 0.0)
    _, client = breaking
    with client.events() as changes:
        next(changes)
        with pytest.raises(ApiError, match="not now"):
            next(changes)


def test_a_refusal_is_final(breaking: tuple[Breaking, Client]) -> None:
    behaviour, client = breaking
    behaviour.refusal = 403
    with client.events() as changes:
        next(changes)
        with pytest.raises(ApiError, match="is the token right"):
            next(changes)
    assert len(behaviour.asked) == 2
