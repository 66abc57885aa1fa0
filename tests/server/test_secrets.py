"""Secrets reach the steps that declare them, and nothing that is kept or shown of these."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.notebooks import cell
from tests.support.server import Server, returned, step

VALUE = "hunter2-hunter2"
INPUTS = {"days": 30, "key": {"secret": "KEY"}, "kept": {"secret": "IN_KEYRING"}, "seen": {"data_store": "seen"}}


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    """A server that has secrets, in its environment and in a keyring."""
    server = Server(folders(), "--FlowNB.owner=owner@example.com")
    server.environment |= {
        "FLOWNB_SECRET_KEY": VALUE,
        "FLOWNB_SECRET_EMPTY": "",
        "PYTHON_KEYRING_BACKEND": "tests.support.keyrings.OneSecret",
    }
    yield server.start()
    server.close()


def test_inputs_are_read_by_name_and_only_by_those_that_declare_them(server: Server) -> None:
    look = """
import os
def tried(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
[pd.inputs.days, pd.inputs["days"], len(pd.inputs.key), type(pd.inputs.key) is str,
 pd.inputs.kept == "kept-in" + "-a-keyring",
 repr(pd.inputs), pd.inputs.seen.incr("n"), [name for name in os.environ if "SECRET" in name],
 tried(lambda: pd.inputs.none), tried(lambda: pd.inputs["none"])]
"""
    found = returned(server.wait(server.run(look, flownb={"inputs": INPUTS}), "succeeded"), "step_1")
    shown = "{'days': 30, 'key': '…', 'kept': '…', 'seen': pd.data_store('seen')}"
    assert found[:8] == [30, 30, len(VALUE), True, True, shown, 1, []]
    for told in found[8:]:
        assert "no input 'none' is declared" in told
        assert "'days', 'key', 'kept', 'seen'" in told


NOISY = """
import sys, base64
from urllib.parse import quote
key = pd.inputs["key"]
print("whole", key)
print(key[:6], end=""); sys.stdout.flush(); print(key[6:])
print(base64.b64encode(f"user:{key}".encode()).decode(), file=sys.stderr)
from IPython.display import display, HTML, JSON
display(HTML(f"<b>{key}</b>")); display(JSON({key: [key]}))
pd.export("found", {"at": f"https://example.com/?k={quote(key)}"})
pd.send.email(subject=f"got {key}", text=key)
pd.flow.suspend(reason=f"use {key}?", form={"type": "object", "title": key})
kept = [key]
key
"""


def test_what_a_step_shows_exports_and_asks_has_no_secret_in_it(server: Server) -> None:
    inputs = {"inputs": {"key": {"secret": "KEY"}}}
    execution = server.run(cell(NOISY, "noisy"), cell("raise ValueError(kept[0])", "fails"), flownb=inputs)
    waiting = server.wait(execution, "suspended")
    assert waiting["waiting"]["reason"] == "use …?"
    found = step(waiting, "noisy")["exports"]
    assert (found["found"], found["$return_value"]) == ({"at": "https://example.com/?k=…"}, "…")
    assert [one for one in waiting["warnings"] if "held a secret" in one] == [
        "export 'found' held a secret of `pd.inputs`: it is masked there",
        "export '$return_value' held a secret of `pd.inputs`: it is masked there",
        "what a pause was given held a secret of `pd.inputs`: it is masked there",
    ]
    server.post(execution, "resume", data={})
    failed = server.wait(execution, "failed")
    assert (failed["error"]["ename"], failed["error"]["evalue"]) == ("ValueError", "…")
    notebook = server.http.get(f"/executions/{execution}/notebook").json()
    text = "".join(output.get("text", "") for output in notebook["cells"][0]["outputs"])
    assert "whole …\n…\n" in text
    told = [server.http.get(path).json() for path in (f"/executions/{execution}/journal", "/outbox")]
    everything = [failed, notebook, *told]
    with closing(sqlite3.connect(server.database)) as db:
        everything.append("\n".join(db.iterdump()))
    server.until(lambda: list((server.root / "flownb-runs").glob(f"*{execution}.ipynb")))
    runs = "".join(path.read_text() for path in (server.root / "flownb-runs").glob("*.ipynb"))
    for form in (VALUE, VALUE[:6], "aHVudGVyMi1odW50ZXIy", "dW50ZXIyLWh1bnRlcj"):
        assert form not in json.dumps(everything) + runs + server.log.read_text(), form


def test_live_outputs_hold_back_the_beginning_of_a_secret(server: Server) -> None:
    slow = """
import sys, time
print("it is", pd.inputs.key[:7], end="", flush=True)
while "go" not in pd.data_store("live"): time.sleep(0.02)
print(pd.inputs.key[7:])
"""
    execution = server.run(slow, flownb={"inputs": {"key": {"secret": "KEY"}}})

    def shown() -> str:
        (made,) = server.http.get(f"/executions/{execution}/notebook").json()["cells"]
        return "".join(output.get("text", "") for output in made["outputs"])

    assert server.until(shown) == "it is "
    server.run("pd.data_store('live')['go'] = True")
    server.wait(execution, "succeeded")
    assert shown() == "it is …\n"


@pytest.mark.parametrize("name", ["ABSENT", "EMPTY"])
@pytest.mark.parametrize("tag", [None, "setup"])
def test_a_secret_that_is_not_there_fails_the_step_and_is_named(server: Server, name: str, tag: str | None) -> None:
    first = cell("1", None, *([tag] if tag else []))
    execution = server.run(first, "2", flownb={"inputs": {"x": {"secret": name}}})
    error = server.wait(execution, "failed")["error"]
    assert error["ename"] == "NoSecret"
    said = f"there is no secret '{name}': put it in the environment of the server as FLOWNB_SECRET_{name}"
    assert said in error["evalue"]


def test_a_setup_cell_that_fails_tells_no_secret(server: Server) -> None:
    broken = cell("raise ValueError(pd.inputs.key)", None, "setup")
    execution = server.run(broken, "2", flownb={"inputs": {"key": {"secret": "KEY"}}})
    failed = server.wait(execution, "failed")
    assert "tagged `setup`: …" in failed["error"]["evalue"]
    assert VALUE not in json.dumps(failed)


def test_a_kernel_that_dies_and_a_cell_that_is_stopped_leave_no_secret_behind(server: Server) -> None:
    dies = "import os, sys; os.write(2, pd.inputs.key.encode()); print(pd.inputs.key, flush=True); os._exit(3)"
    inputs: Any = {"inputs": {"key": {"secret": "KEY"}}}
    dead = server.run(dies, flownb=inputs)
    hangs = server.run("print(pd.inputs.key, flush=True)\nimport time; time.sleep(600)", flownb=inputs)
    server.wait(dead, "failed")
    server.until(lambda: "…" in str(server.http.get(f"/executions/{hangs}/notebook").json()))
    assert server.post(hangs, "cancel").status_code == 200
    for execution in (dead, hangs):
        found = server.get(execution)
        assert found["status"] in ("failed", "cancelled")
        assert VALUE not in json.dumps([found, server.http.get(f"/executions/{execution}/notebook").json()])
