"""The listener for the public URLs alone: what it bears, whom it believes, and how little it tells."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.support.server import PATIENCE, Server, free_port, step

PROXY = "127.0.0.2"
HEAD = b"POST /flownb/resume/unknown HTTP/1.1\r\nHost: flows.example.org\r\n"
SETTINGS = (
    "--FlowNB.callback_connections=12",
    "--FlowNB.callback_address_connections=8",
    "--FlowNB.callback_header_seconds=0.5",
    "--FlowNB.callback_body_seconds=0.5",
    "--FlowNB.address_rate=1",
    "--FlowNB.link_rate=0.3",
    f"--FlowNB.trusted_proxies={PROXY}",
    "--FlowNB.trusted_proxies=10.0.0.0/8",
)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.getbasetemp() / "public"
    root.mkdir()
    server = Server(root, f"--FlowNB.callback_port={port}", *SETTINGS).start()
    yield server
    server.close()


@pytest.fixture
def public(server: Server, port: int) -> Iterator[httpx.Client]:
    """By way of the proxy; who asks is said in a header."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        transport=httpx.HTTPTransport(local_address=PROXY),
        headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"},
        timeout=PATIENCE,
    ) as client:
        yield client


def connect(port: int, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))


def answer(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", b""),
        (HEAD, b""),
        (HEAD + b"Content-Length: 9\r\n\r\nbody", b""),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", b""),
        (HEAD + b"X-A: b\r\n" * 10_000 + b"\r\n", b""),
        (HEAD + b"Content-Length: 999999999\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (b"\x16\x03\x01\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ],
    ids=["nothing", "head", "body", "chunks", "headers", "length", "chunk", "host", "tls"],
)
def test_a_slow_or_malformed_request_ends_its_connection(server: Server, port: int, sent: bytes, told: bytes) -> None:
    with connect(port, "127.0.0.3") as connection:
        connection.sendall(sent)
        assert answer(connection) == told


def test_one_address_has_some_connections_and_all_have_some_more(server: Server, port: int) -> None:
    with ExitStack() as open_ones:

        def is_let_in(source: str) -> bool:
            """A connection that is kept, but where it is closed at once."""
            connection = open_ones.enter_context(connect(port, source))
            connection.sendall(b"OPTIONS /flownb/resume/a HTTP/1.1\r\nHost: a\r\n\r\n")
            return not connection.recv(65536).startswith(b"HTTP/1.1 503")

        # Proxies, whose connections idle, as those of others do not.
        assert [is_let_in(PROXY) for _ in range(12)] == [True] * 12
        assert not is_let_in(PROXY)
        assert not is_let_in("127.0.0.5")
    with ExitStack() as open_ones:
        server.until(lambda: is_let_in(PROXY))
        several = [open_ones.enter_context(connect(port, "127.0.0.4")) for _ in range(9)]
        refused = answer(several[-1])
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in refused


def test_one_address_sends_so_many_and_no_more(public: httpx.Client) -> None:
    noisy, quiet = {"X-Forwarded-For": "6.6.6.6, 192.0.2.66"}, {"X-Forwarded-For": "192.0.2.67"}
    answers = [public.get(f"/flownb/resume/{number}", headers=noisy) for number in range(14)]
    codes = [each.status_code for each in answers]
    assert codes[:10] == [404] * 10
    assert codes[-1] == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].json()["reason"] == "too_often"
    assert public.head("/flownb/cancel/a", headers={"X-Forwarded-For": "7.7.7.7, 192.0.2.66"}).status_code == 429
    assert public.get("/flownb/hook/a", headers=noisy).status_code == 429
    assert public.get("/flownb/resume/a", headers=quiet).status_code == 404


def test_one_link_takes_so_many_and_no_more(server: Server, public: httpx.Client) -> None:
    execution = server.run("pd.flow.suspend();")
    waiting = server.wait(execution, "suspended")["waiting"]
    senders = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(6)]
    codes = [public.get(waiting["review_url"], headers=sender).status_code for sender in senders]
    assert (codes[:3], codes[-1]) == ([200] * 3, 429)
    assert public.post(waiting["resume_url"]).json()["status"] == "resumed"


@pytest.mark.parametrize("path", ["callback", "jupyter"])
def test_the_address_of_a_sender_is_what_trusted_proxies_say(server: Server, public: httpx.Client, path: str) -> None:
    execution = server.run("pd.flow.suspend();")
    link = httpx.URL(server.wait(execution, "suspended")["waiting"]["resume_url"])
    if path == "jupyter":
        link = link.copy_with(port=server.port)
    said = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7, 10.1.1.1", "X-Real-Ip": "6.6.6.6", "X-Scheme": "gopher"}
    assert public.post(link, headers=said).json()["status"] == "resumed"
    data = step(server.wait(execution, "succeeded"), "step_1")["exports"]["$resume_data"]
    assert data["client_ip"] == "198.51.100.7"
    assert data["url"].startswith("https://")


def test_nobody_else_says_where_they_come_from(server: Server) -> None:
    execution = server.run("pd.flow.suspend();")
    link = server.wait(execution, "suspended")["waiting"]["resume_url"]
    httpx.post(link, headers={"X-Forwarded-For": "6.6.6.6", "X-Real-Ip": "6.6.6.6", "X-Forwarded-Proto": "https"})
    data = step(server.wait(execution, "succeeded"), "step_1")["exports"]["$resume_data"]
    assert (data["client_ip"], data["url"].partition(":")[0]) == ("127.0.0.1", "http")


def test_everything_else_is_an_unknown_link_and_nothing_tells_what_answers(public: httpx.Client) -> None:
    asked = [("GET", "/flownb/resume/unknown"), ("GET", "/"), ("GET", "/api/contents"), ("GET", "/flownb/api/health")]
    asked += [("POST", "/login"), ("DELETE", "/flownb/"), ("TRACE", "/lab"), ("BREW", "/flownb/hook")]
    answers = [public.request(method, path, headers={"X-Forwarded-For": "192.0.2.99"}) for method, path in asked]
    assert {(each.status_code, each.text) for each in answers} == {(404, answers[0].text)}
    assert {frozenset(each.headers) - {"connection"} for each in answers} == {
        frozenset(
            ["content-type", "cache-control", "content-length", "date", "referrer-policy", "x-content-type-options"],
        )
    }
    assert not any(word in str(answers[0].headers).lower() for word in ("tornado", "jupyter", "python"))
