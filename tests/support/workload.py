"""Executions that pause in every way and call a service in every step, and what must hold of them in the end."""

from __future__ import annotations

import zlib
from collections import Counter
from random import Random
from typing import Any

import httpx

from flownb.core.model import Status
from flownb.store.aggregate import attempt_begun
from tests.support.notebooks import cell, write
from tests.support.replay import Told
from tests.support.server import Server
from tests.support.service import Service

BEGIN = """
import random
from urllib.request import Request, urlopen
trail, noise = [], random.Random(pd.context.trace_id).randbytes(500_000)
same = noise

def call(step):
    run = pd.context.run.runs
    path = f"{pd.context.trace_id}/{step}/{run}"
    with urlopen(Request("%s/" + path, method="POST")) as answer:
        trail.append(f"{step} {run}")
        return int(answer.read())

call("begin");
"""
ASK = """
call("ask")
pd.send.email(subject=pd.context.trace_id, text="Go on?")
pd.flow.suspend();
"""
POLL = """
call("poll")
answer = pd.steps["ask"].resume_data.body
if pd.context.run.runs < 3:
    pd.flow.rerun(100, None, 5)
"""
SHAKY = """
#| retry: {max: 9, first: 50ms, backoff: constant}
if call("shaky") == 1:
    raise ConnectionError("the first call goes wrong")
"""
TRAIL = ["begin 1", "ask 1", "poll 1", "poll 2", "poll 3", "shaky 1", "nap 1", "end 1"]
NOTEBOOK = "work.ipynb"
FINAL = ("succeeded", "failed", "cancelled")


class Workload:
    """A number of executions of one notebook, and the person who starts them and answers their questions."""

    def __init__(self, server: Server, service: Service, size: int, **settings: Any) -> None:
        """``settings`` are the notebook's metadata."""
        self.server = server
        self.service = service
        self.numbers = range(size)
        self.started: set[str] = set()
        self.accepted: set[str] = set()
        self.found: dict[int, dict[str, Any]] = {}
        write(
            server.root,
            NOTEBOOK,
            cell((BEGIN % service.url).strip(), "begin"),
            cell(ASK.strip(), "ask"),
            cell(POLL.strip(), "poll"),
            cell(SHAKY.strip(), "shaky"),
            cell('call("nap")\npd.flow.delay(50);', "nap"),
            cell('import zlib\ncall("end")\n[trail, answer, zlib.crc32(noise), same is noise]', "end"),
            **settings,
        )

    def add(self, size: int) -> None:
        """So many more executions are to be started."""
        self.numbers = range(len(self.numbers) + size)

    def attend(self) -> bool:
        """Look at all executions once and do what is to be done for them; whether all are over.

        A server that is gone leaves things as they are: the person asks again later.
        """
        try:
            if not self._look():
                return False
            for number in self.numbers:
                if number not in self.found:
                    self.started.add(self.server.submit(NOTEBOOK, number))
            for number, execution in self.found.items():
                self._answer(number, execution)
        except httpx.TransportError:
            self.found = {}
            return False
        return len(self.found) == len(self.numbers) and all(one["status"] in FINAL for one in self.found.values())

    def _look(self) -> bool:
        """Whether the server answers; it may still be starting."""
        answer = self.server.http.get("/executions", params={"limit": 500})
        if answer.status_code == 503:
            return False
        assert answer.status_code == 200, answer.text
        listed = answer.json()["executions"]
        assert self.started <= {one["id"] for one in listed}, "an execution that was answered 201 is lost"
        self.found = {one["trigger"]["event"]["body"]: one for one in listed}
        assert len(self.found) == len(listed)
        return True

    def _answer(self, number: int, execution: dict[str, Any]) -> None:
        """Half of the people use the link, the others the API."""
        waiting = execution["waiting"]
        if waiting is None or waiting["kind"] != "suspend":
            return
        assert execution["id"] not in self.accepted, "a request that was answered 2xx is lost"
        if number % 2:
            answer = self.server.post(execution["id"], "resume", data=number)
        else:
            answer = self.server.http.post(waiting["resume_url"], json=number)
        if answer.status_code < 300:
            self.accepted.add(execution["id"])

    @property
    def running(self) -> bool:
        """Whether anything ran when we looked."""
        return any(one["status"] == "running" for one in self.found.values())

    def complete(self) -> None:
        """Bring everything to its end."""
        self.server.until(self.attend)

    def check(self) -> dict[str, Told]:
        """The record agrees with itself and with the outside; returns it."""
        record = self.server.replay()
        assert sorted(told.execution.trigger["event"]["body"] for told in record.values()) == list(self.numbers)
        for told in record.values():
            self._check_calls(told)
            if told.execution.status is Status.SUCCEEDED:
                number = told.execution.trigger["event"]["body"]
                noise = zlib.crc32(Random(told.execution.id).randbytes(500_000))
                assert told.execution.steps[-1].exports["$return_value"] == [TRAIL, number, noise, True]
        for execution in self.accepted:
            assert "$resume_data" in record[execution].execution.steps[1].exports
        return record

    def _check_calls(self, told: Told) -> None:
        """Each step has called as often as the journal says that it was begun, or the server died before it could."""
        begun: Counter[str] = Counter()
        for move in told.journal:
            if attempt := attempt_begun(move.before, move.after):
                begun[f"{told.execution.id}/{attempt.step}/{attempt.run}"] += 1
        made = {path: calls for path, calls in self.service.calls.items() if path.startswith(told.execution.id)}
        assert all(calls <= begun[path] for path, calls in made.items()), (made, begun)
        for step in told.execution.steps:
            if step.status in ("succeeded", "suspended"):
                assert all(made.get(f"{told.execution.id}/{step.name}/{run + 1}") for run in range(step.runs))
