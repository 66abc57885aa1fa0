"""Data stores and secrets from outside: the API behind the login, the command line, and the console."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from flownb.cli import main
from flownb.cli.options import connect
from flownb.client import Client
from tests.cli.conftest import Ran
from tests.server.test_console import READ_ONLY, Person
from tests.server.test_deployed import deploy
from tests.support.server import TOKEN, Server, returned

ODD = "a/b c?&<i>ü"


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    server = Server(folders(), moving_clock=True)
    server.environment["FLOWNB_SECRET_THERE"] = "not-to-be-seen"
    yield server.start()
    server.close()


@pytest.fixture
def flownb(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The command, in this process: a new one takes a second."""
    used = []

    def connected(*arguments: Any) -> Client:
        used.append(connect(*arguments))
        return used[-1]

    monkeypatch.setattr("flownb.cli.data.connect", connected)

    def run(*arguments: str) -> Ran:
        own = ("--server-url", server.api.removesuffix("flownb/api"), "--token", TOKEN)
        monkeypatch.setattr("sys.argv", ["flownb", *arguments, *own])
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        while used:
            used.pop().close()
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return run


def put(server: Server, store: str, key: str, value: Any, **more: Any) -> httpx.Response:
    return server.http.put(f"/data/{store}/{quote(key, safe='')}", json={"value": value, **more})


def test_the_api_shows_puts_and_deletes_what_steps_keep(server: Server) -> None:
    kept = put(server, "api", ODD, {"n": 1}).json()
    assert (kept["key"], kept["value"], kept["bytes"], kept["expires_at"]) == (ODD, {"n": 1}, 7, None)
    step = f"ds = pd.data_store('api'); ds[{ODD!r}]['n'], ds.set('step', 2, ttl=3600), ds.set('b', 3)"
    assert returned(server.wait(server.run(step), "succeeded"), "step_1") == [1, None, None]
    assert {"name": "api", "keys": 3, "bytes": 9} in server.http.get("/data").json()["stores"]
    page = server.http.get("/data/api?limit=2").json()
    assert ([one["key"] for one in page["items"]], page["next"]) == ([ODD, "b"], "b")
    page = server.http.get("/data/api", params={"limit": 2, "after": page["next"]}).json()
    assert ([one["key"] for one in page["items"]], page["next"]) == (["step"], None)
    assert [one["key"] for one in server.http.get("/data/api?prefix=a/").json()["items"]] == [ODD]
    server.advance(hours=1)
    assert server.http.get("/data/api/step").status_code == 404
    assert put(server, "api", "b", 4, revision=kept["revision"]).status_code == 409
    assert put(server, "api", ODD, 4, revision=kept["revision"], ttl=60).json()["expires_at"] is not None
    assert server.http.delete(f"/data/api/{quote(ODD, safe='')}").status_code == 204
    assert server.http.delete(f"/data/api/{quote(ODD, safe='')}").json()["reason"] == "not_found"
    assert server.http.delete("/data/api").status_code == 204
    assert server.http.get("/data/api").json() == {"name": "api", "keys": 0, "bytes": 0, "items": [], "next": None}


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("no%20name/k", {"value": 1}, "name of a data store"),
        ("s/" + "k" * 501, {"value": 1}, "1 to 500 characters"),
        ("s/k", {}, "has a `value`"),
        ("s/k", {"value": 1, "ttl": 0}, "ttl is a number of seconds"),
        ("s/k", {"value": 1, "other": 1}, "unknown key 'other'"),
    ],
)
def test_bad_input_is_said(server: Server, path: str, body: Any, word: str) -> None:
    answer = server.http.put(f"/data/{path}", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
    assert word in answer.json()["message"]


def test_nobody_comes_near_without_a_login(server: Server) -> None:
    for path in ("/data", "/data/s", "/data/s/k", "/secrets"):
        assert httpx.get(f"{server.api}{path}").status_code == 403
    assert httpx.put(f"{server.api}/data/s/k", json={"value": 1}).status_code == 403


def test_the_command_line(server: Server, flownb: Callable[..., Ran]) -> None:
    assert flownb("data", "cli", "k", '{"a": [1, "ü"]}').status == 0
    assert flownb("data", "cli", "soon", "5", "--ttl", "60").status == 0
    assert json.loads(flownb("data", "cli", "k").out) == {"a": [1, "ü"]}
    listed = flownb("data", "cli").out
    assert '{"a": [1, "ü"]}' in listed
    assert [one["key"] for one in flownb("data", "cli", "--prefix", "s", "--json").json["items"]] == ["soon"]
    assert "cli" in flownb("data").out
    wrong = flownb("data", "cli", "k", "text")
    assert (wrong.status, "VALUE is not JSON" in wrong.err) == (2, True)
    assert flownb("data", "--delete").status == 2
    assert flownb("data", "cli", "k", "--delete").status == 0
    missing = flownb("data", "cli", "k")
    assert (missing.status, "has no key 'k'" in missing.err) == (2, True)
    assert flownb("data", "cli", "--delete").status == 0
    assert flownb("data", "cli").out == "Nothing is kept there.\n"


def test_secrets_are_listed_by_name_alone(server: Server, flownb: Callable[..., Ran]) -> None:
    assert flownb("secrets").out == "No deployed workflow needs a secret.\n"
    auth = {"type": "bearer", "secret": "MISSING"}
    deploy(server, "needy", "1", inputs={"x": {"secret": "THERE"}}, http={"auth": auth})
    found = flownb("secrets", "--json")
    assert found.json["secrets"] == [
        {"name": "MISSING", "there": False, "workflows": ["needy"]},
        {"name": "THERE", "there": True, "workflows": ["needy"]},
    ]
    shown = flownb("secrets")
    assert (found.status, shown.status) == (1, 1)
    assert "not-to-be-seen" not in found.out + shown.out
    assert shown.out.split("\n")[1].split() == ["MISSING", "missing", "needy"]
    server.http.delete("/workflows/needy")


def test_the_console_browses_edits_and_deletes(server: Server) -> None:
    put(server, "console", ODD, "<script>")
    person = Person(server)
    assert 'href="/flownb/data/console"' in person.page("data")
    page = person.page("data/console")
    assert "a/b c?&amp;&lt;i&gt;ü" in page
    assert "<script>" not in page.partition("<main")[2]
    revision = str(server.http.get("/data/console").json()["items"][0]["revision"])
    after = person.after("data/console/put", key=ODD, value='{"edited": 1}', ttl="", revision=revision)
    assert "The value is kept." in after
    assert server.http.get("/data/console").json()["items"][0]["value"] == {"edited": 1}
    late = person.send("data/console/put", key=ODD, value="1", ttl="", revision=revision)
    assert (late.status_code, "changed meanwhile" in late.text) == (409, True)
    wrong = person.send("data/console/put", key="new", value="{no json", ttl="", revision="")
    assert (wrong.status_code, "the value is not JSON" in wrong.text, "{no json" in wrong.text) == (422, True, True)
    wrong = person.send("data/console/put", key="new", value="1", ttl="soon", revision="")
    assert (wrong.status_code, "ttl is a number of seconds" in wrong.text) == (422, True)
    person.after("data/console/delete", key=ODD)
    person.after("data/console/put", key="new", value="1", ttl="60", revision="")
    assert "Nothing is kept here." in person.after("data/console/delete")
    assert person.http.post("data/console/put", data={"key": "x", "value": "1"}).status_code == 403
    assert server.http.get("/data/console").json()["keys"] == 0
    person.http.close()


def test_who_may_only_read_sees_values_and_no_buttons(make_server: Callable[..., Server]) -> None:
    server = make_server()
    settings = server.root.parent / f"{server.root.name}-read-only.py"
    settings.write_text(READ_ONLY)
    server.settings.append(f"--config={settings}")
    server.start()
    assert put(server, "s", "k", "seen").status_code == 200
    reader = Person(server)
    page = reader.page("data/s")
    assert "seen" in page
    assert "<button>Show</button>" in page
    assert 'method="post"' not in page
    assert reader.send("data/s/delete", key="k").status_code == 403
    assert server.http.get("/data/s/k").json()["value"] == "seen"
    reader.http.close()
