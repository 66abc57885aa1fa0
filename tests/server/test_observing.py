"""Metrics, events, traces and logs of a real server, as an operator's tools see them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from flownb.core.model import Execution, Status
from flownb.server.observing.logs import JsonFormatter, about
from flownb.server.observing.standing import Standing
from flownb.server.observing.tracing import EXPORTER, tracing
from flownb.store.store import Change
from tests.support.notebooks import write
from tests.support.server import TOKEN, Server

DOCS = Path(__file__).parents[2] / "docs" / "observability.md"

CONFIG = """
import logging
c.EventLogger.handlers = [logging.FileHandler({events!r})]
c.ServerApp.logging_config = {{
    "formatters": {{"json": {{"class": "flownb.server.observing.logs.JsonFormatter"}}}},
    "handlers": {{"console": {{"formatter": "json"}}}},
}}
"""
TRACES = {"OTEL_TRACES_EXPORTER": "console", "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_SERVICE_NAME": "tested"}
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ASK = "pd.flow.suspend(reason='May I?')"


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    root, beside = folders(), folders()
    (beside / "config.py").write_text(CONFIG.format(events=str(beside / "events.jsonl")))
    running = Server(root, f"--config={beside / 'config.py'}", moving_clock=True)
    running.environment |= TRACES
    yield running.start()
    running.close()


def scraped(server: Server) -> str:
    return httpx.get(f"{server.url}metrics", headers={"Authorization": f"token {TOKEN}"}).text


def families(server: Server) -> set[str]:
    """The names of all metrics of flownb, also of those that have no value yet."""
    return set(re.findall(r"^# TYPE (flownb_\w+)", scraped(server), re.MULTILINE))


def metrics(server: Server) -> dict[str, float]:
    """What ``/metrics`` has of flownb, by name with its labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(scraped(server))
        for sample in family.samples
        if sample.name.startswith("flownb_")
    }


def growth(before: dict[str, float], after: dict[str, float]) -> Callable[[str], float]:
    return lambda name: after[name] - before.get(name, 0.0)


def spans(server: Server, execution: str, count: int) -> dict[str, dict[str, Any]]:
    """The spans of an execution, by name, once there are so many; the exporter writes them into the server's log."""

    def written() -> list[dict[str, Any]]:
        found = re.findall(r"^\{\n.*?^\}$", server.log.read_text(), re.MULTILINE | re.DOTALL)
        told = map(json.loads, found)
        return [span for span in told if span["attributes"].get("flownb.execution") == execution]

    server.until(lambda: len(written()) >= count)
    return {span["name"]: span for span in written()}


def events(server: Server, schema: str) -> list[dict[str, Any]]:
    (file,) = server.root.parent.glob("*/events.jsonl")
    told = map(json.loads, file.read_text().splitlines())
    return [one for one in told if one["__schema__"] == f"https://events.flownb.org/{schema}/v1"]


def test_metrics_follow_what_executions_do(server: Server) -> None:
    before = metrics(server)
    one, other = server.run(ASK, "1"), server.run(ASK, "1 / 0")
    waiting = [server.wait(execution, "suspended")["waiting"] for execution in (one, other)]
    grown = growth(before, metrics(server))
    assert grown("flownb_executions suspended") == grown("flownb_pauses suspend") == 2
    assert grown("flownb_executions_created_total api") == 2
    httpx.post(waiting[0]["resume_url"])
    server.wait(one, "succeeded")
    server.advance(hours=25)
    server.wait(other, "failed")
    after = metrics(server)
    grown = growth(before, after)
    assert grown("flownb_executions suspended") == grown("flownb_pauses suspend") == 0
    assert grown("flownb_executions_ended_total succeeded") == grown("flownb_executions_ended_total failed") == 1
    assert grown("flownb_attempts_total finished") == 3
    assert grown("flownb_attempts_total failed") == 1
    assert grown("flownb_queue_wait_seconds_count") == 4
    assert grown("flownb_resume_seconds_count") == 2
    assert grown("flownb_timer_lateness_seconds_count") == 1
    assert grown("flownb_link_seconds_count 200") == 1
    assert grown("flownb_store_commit_seconds_count") > 0
    assert grown("flownb_snapshot_bytes_total") > 0
    taken = [grown(f"flownb_kernels_taken_total {origin}") for origin in ("warm", "parked", "new")]
    assert sum(taken) == 4
    assert after["flownb_queue_oldest_seconds"] == 0


def test_the_page_lists_the_metrics_that_there_are(server: Server) -> None:
    said = set(re.findall(r"^\| `(flownb_\w+)` \|", DOCS.read_text(), re.MULTILINE))
    assert said == {name for name in families(server) if not name.endswith("_created")}


def test_what_waited_before_a_start_is_counted(server: Server) -> None:
    server.wait(server.run(ASK), "suspended")
    before = metrics(server)
    server.kill()
    server.start()
    assert server.until(lambda: metrics(server).get("flownb_pauses suspend")) == before["flownb_pauses suspend"]


def test_changes_while_the_first_count_is_made_count_once() -> None:
    standing = Standing()
    queued = Execution("x", "w", "n", "v", {}, 0, ())
    running = Execution("x", "w", "n", "v", {}, 0, (), status=Status.RUNNING)
    standing.hear(Change(5, "Created", 0, None, queued))
    standing.hear(Change(6, "Admitted", 0, queued, running))

    class Counted:
        async def read(self, query: object) -> tuple[dict[tuple[str, str], int], int]:
            return {("queued", ""): 3}, 5  # the fifth change is in it

    counting = standing.begin(Counted())  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        counting.send(None)
    assert standing.counts == {("queued", ""): 2, ("running", ""): 1}


def test_events_tell_of_executions_decisions_and_deployments(server: Server) -> None:
    execution = server.run(ASK, "1")
    server.wait(execution, "suspended")
    server.post(execution, "resume", by="Ada")
    server.wait(execution, "succeeded")
    told = [one for one in events(server, "execution") if one["execution"] == execution]
    assert [one["status"] for one in told] == ["queued", "running", "suspended", "queued", "running", "succeeded"]
    (decision,) = [one for one in events(server, "decision") if one["execution"] == execution]
    assert (decision["action"], decision["by"], decision["step"]) == ("resume", "Ada", "step_1")
    write(server.root, "told.ipynb", "1")
    server.client.deploy(server.root / "told.ipynb")
    server.client.undeploy("told")
    assert [(one["workflow"], one["active"]) for one in events(server, "deployment")] == [
        ("told", True),
        ("told", False),
    ]


def test_an_execution_is_one_trace_across_a_pause_and_a_restart(server: Server) -> None:
    execution = server.run("1", ASK, "1 / 0")
    server.wait(execution, "suspended")
    spans(server, execution, 3)
    server.kill()
    server.start()
    server.post(execution, "resume")
    server.wait(execution, "failed")
    found = spans(server, execution, 6)
    assert len({span["context"]["trace_id"] for span in found.values()}) == 1
    whole = next(span for span in found.values() if span["parent_id"] is None)
    for number, steps in (1, ("step_1", "step_2")), (2, ("step_3",)):
        segment = found[f"segment {number}"]
        assert segment["parent_id"] == whole["context"]["span_id"]
        assert all(found[f"step {step}"]["parent_id"] == segment["context"]["span_id"] for step in steps)
    failed = found["step step_3"]
    assert failed["status"] == {"status_code": "ERROR", "description": "ZeroDivisionError"}
    assert failed["attributes"]["flownb.run"] == failed["attributes"]["flownb.attempt"] == 1
    assert found["step step_1"]["attributes"]["flownb.status"] == "succeeded"
    assert whole["resource"]["attributes"]["service.name"] == "tested"


def test_a_trace_goes_on_from_whoever_called_the_hook(server: Server) -> None:
    write(server.root, "called.ipynb", "1")
    deployed = server.client.deploy(server.root / "called.ipynb")
    httpx.post(deployed["hook_url"], json={}, headers={"traceparent": CALLER}).raise_for_status()
    execution = server.until(lambda: server.client.executions(workflow="called")["executions"])[0]["id"]
    whole = spans(server, execution, 3)["called"]
    assert whole["context"]["trace_id"] == "0x0af7651916cd43dd8448eb211c80319c"
    assert whole["parent_id"] == "0xb7ad6b7169203331"


def test_lines_about_an_execution_say_so_in_json(server: Server) -> None:
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith('{"at"')]
    assert {"at", "level", "logger", "message"} <= lines[0].keys()
    record = logging.makeLogRecord({"msg": "execution %s waits", "args": ("x",), **about("x")})
    said = json.loads(JsonFormatter().format(record))
    assert (said["message"], said["execution"]) == ("execution x waits", "x")


def test_nothing_of_opentelemetry_is_imported_where_nobody_wants_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EXPORTER, raising=False)
    assert tracing(logging.getLogger("flownb")) is None
    monkeypatch.setenv(EXPORTER, "no-such-exporter")
    assert tracing(logging.getLogger("flownb")) is None
