"""The original's own Python runs in cells as it is printed, as far as it is Python; and does what its page says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flownb.testing import Run, Workflows
from tests.original import blocks
from tests.original.blocks import BLOCKS, Block
from tests.support.notebooks import cell, write
from tests.support.server import Server

STAND_IN = """
import requests

class Answer(dict):
    status = property(lambda self: self["status"])

answers = iter({answers!r})
requests.get = lambda url: type("Response", (), {{"json": lambda self, found=next(answers): {kind}(found)}})()
"""
"""In place of the service at example.com. The page reads its answer as no dict can be read, so one kind of it can."""

STYLE = """
def handler(pd: "pipedream"):
    data_store = pd.inputs["data_store"]
    data_store["visits"] = data_store.get("visits", 0) + 1
    data_store.set("soon gone", "x", ttl=3600)
    known = "visits" in data_store and "nothing" not in data_store
    del data_store["soon gone"]
    pd.export("known", known)
    return {"name": "Bulbasaur", "visits": data_store["visits"], "keys": list(data_store.keys())}
"""
READER = """
def handler(pd: "pipedream"):
    assert pd.steps["code"]["name"] == pd.steps["code"]["$return_value"]["name"] == "Bulbasaur"
    assert pd.steps["trigger"]["event"]["body"]["pokemon"] == "Bulbasaur"
    assert pd.inputs["region"] == "Kanto"
    return pd.flow.exit("seen enough") if pd.steps["code"]["known"] else None
"""


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    running = Server(folders(), moving_clock=True).start()
    yield running
    running.close()


@pytest.fixture
def start(server: Server) -> Iterator[Callable[..., Run]]:
    """Starts a workflow made of cells; ``data`` and settings by name."""
    workflows = Workflows(lambda notebook: server, server.root)
    numbers = iter(range(100))

    def begin(*cells: Any, data: Any = None, **settings: Any) -> Run:
        return workflows.run(write(server.root, f"w{next(numbers)}.ipynb", *cells, flownb=settings), data)

    yield begin
    workflows.close()


def compiled(block: Block) -> str | None:
    """What Python says of a block; None where it takes it."""
    try:
        compile(block.code, block.name, "exec")
    except SyntaxError as error:
        return error.msg
    return None


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_is_python_or_it_is_known_why_not(block: Block) -> None:
    if block is blocks.EMAIL and sys.version_info < (3, 12):
        assert "f-string" in (compiled(block) or "")
    else:
        assert compiled(block) == block.refused


@pytest.mark.skipif(sys.version_info < (3, 12), reason="an f-string whose quotes Python takes from 3.12 on")
def test_both_links_are_sent_by_mail(start: Callable[..., Run]) -> None:
    run = start(cell(blocks.EMAIL.code, "code"))
    waiting = run.waits("code")
    text = f"approve the workflow: ${waiting['resume_url']}, and cancel here: ${waiting['cancel_url']}"
    assert run.mails[0]["subject"] == "Please approve this important workflow"
    assert text in run.mails[0]["text"]


def test_data_of_the_resuming_request_is_an_export_of_the_step(start: Callable[..., Run]) -> None:
    run = start(cell(blocks.SEVEN_DAYS.code, "code"), cell("pd.steps['code']['$resume_data']['body']", "after"))
    run.waits("code")
    run.post(run.resume_url, json={"approved": True})
    run.succeeds()
    assert run.steps["after"].returned == {"approved": True}


def test_a_timeout_of_seven_days_resumes_by_itself(start: Callable[..., Run]) -> None:
    run = start(cell(blocks.SEVEN_DAYS.code, "code"), cell("'$resume_data' in pd.steps['code']", "after"))
    run.waits("code")
    run.advance(days=6, hours=23)
    run.waits("code")
    run.advance(hours=1)
    run.succeeds()
    assert run.steps["after"].returned is False


def polled(start: Callable[..., Run], kind: str, *statuses: str) -> Run:
    stand_in = STAND_IN.format(answers=[{"status": status} for status in statuses], kind=kind)
    run = start(cell(stand_in, None, "setup"), cell(blocks.POLLING.code, "code"), cell("'next'", "after"))
    run.waits("code", runs=1)
    run.advance(minutes=1)
    return run


def test_polling_goes_on_with_the_answer_once_the_job_is_done(start: Callable[..., Run]) -> None:
    run = polled(start, "Answer", "RUNNING", "DONE")
    run.succeeds()
    assert (run.steps["code"].runs, run.steps["code"].returned) == (3, {"status": "DONE"})


def test_polling_raises_in_run_four_by_itself(start: Callable[..., Run]) -> None:
    run = polled(start, "Answer", "RUNNING", "RUNNING")
    run.fails("code", error="Max retries exceeded")
    assert (run.steps["code"].runs, run.steps["after"].status) == (4, "skipped")


def test_polling_as_printed_reads_json_in_a_way_that_no_dict_allows(start: Callable[..., Run]) -> None:
    run = polled(start, "dict", "DONE")
    run.fails("code", error="AttributeError: 'dict' object has no attribute 'status'")


def test_the_arguments_of_rerun_are_those_that_are_printed(start: Callable[..., Run]) -> None:
    values = "delay, context, maxRetries = 1000, {'n': 1}, 2"
    run = start(values, cell(blocks.ARGUMENTS.code, "code"), cell("'next'", "after"))
    waiting = run.waits("code", runs=1)
    assert (waiting["max_retries"], waiting["context"]) == (2, {"n": 1})
    run.advance(minutes=1)
    run.succeeds()
    assert (run.steps["code"].runs, run.steps["after"].returned) == (3, "next")


def test_context_is_what_the_call_before_passed_and_ten_reruns_are_the_default(start: Callable[..., Run]) -> None:
    before = "seen = [*globals().get('seen', []), pd.context.run.context]\n"
    run = start(cell(before + blocks.CONTEXT.code, "code"), cell("seen", "after"))
    run.waits("code")
    run.advance(minutes=1)
    run.succeeds()
    assert run.steps["code"].runs == 11
    assert run.steps["after"].returned == [None, *[{"hello": "world"}] * 10]


@pytest.mark.parametrize("block", [blocks.CALLBACK, blocks.EXCEPTION], ids=lambda block: block.name)
def test_what_is_not_python_fails_as_python_says(start: Callable[..., Run], block: Block) -> None:
    run = start(cell(block.code, "code"))
    run.fails("code", error=f"SyntaxError: {block.refused}")


def test_inputs_stores_exports_and_exit_are_used_as_there(start: Callable[..., Run]) -> None:
    inputs = {"data_store": {"data_store": "original"}, "region": "Kanto"}
    cells = cell(STYLE, "code"), cell(READER, "reader"), cell("1", "never")
    run = start(*cells, data={"pokemon": "Bulbasaur"}, inputs=inputs)
    run.succeeds()
    assert run.steps["code"].returned == {"name": "Bulbasaur", "visits": 1, "keys": ["visits"]}
    assert (run.execution["reason"], run.steps["never"].status) == ("seen enough", "skipped")
