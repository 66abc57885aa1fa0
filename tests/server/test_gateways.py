"""Executions whose kernels are behind gateways that die, or are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flownb.core.events import ServerLost
from tests.conftest import MakeServer
from tests.support.gateways import TOKEN, Process, configured, until
from tests.support.server import returned, step


@pytest.fixture
def two(folders: Callable[[], Path]) -> Iterator[tuple[Process, Process]]:
    made = Process(folders()), Process(folders())
    for process in made:
        process.start()
    yield made[0].wait(), made[1].wait()
    for process in made:
        process.kill()


def behind(process: Process, **more: object) -> dict[str, object]:
    return {"url": process.url, "token": TOKEN, **more}


COUNTED = """
with open({file!r}, "a") as file: file.write(f"{{pd.context.run.runs}} {{kept}}\\n")
import os, time
while not os.path.exists({flag!r}): time.sleep(0.05)
pd.flow.suspend(60_000)
'done'
"""


def test_a_step_whose_gateway_dies_runs_again_on_another(
    two: tuple[Process, Process], make_server: MakeServer, tmp_path: Path
) -> None:
    first, second = two
    both = configured(tmp_path, behind(first, weight=1000, name="first"), behind(second, name="second"))
    server = make_server(both).start()
    file, flag = tmp_path / "file", tmp_path / "flag"
    execution = server.run("kept = 'from the checkpoint'", COUNTED.format(file=str(file), flag=str(flag)))
    until(file.exists)
    first.kill()
    until(lambda: len(file.read_text().splitlines()) == 2)
    flag.touch()
    found = server.wait(execution, "suspended")
    assert file.read_text().splitlines() == 2 * ["1 from the checkpoint"]
    assert (found["segments"], step(found, "step_2")["runs"]) == (1, 1)
    journal = server.replay()[execution].journal
    lost = [move.event.lost for move in journal if isinstance(move.event, ServerLost)]
    assert lost == ["the gateway of its kernel"]
    assert server.post(execution, "resume").status_code == 200
    assert returned(server.wait(execution, "succeeded"), "step_2") == "done"
    assert TOKEN not in server.log.read_text()


def test_a_label_that_no_gateway_has_fails_the_step(
    gateway: Callable[[], Process], make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(configured(tmp_path, behind(gateway(), name="small"))).start()
    found = server.wait(server.run("1", flownb={"kernel": {"gateway": "gpu"}}), "failed")
    assert found["error"]["ename"] == "KernelStartFailed"
    assert "'gpu'" in found["error"]["evalue"]
    assert "small" in found["error"]["evalue"]
    assert returned(server.wait(server.run("2", flownb={"kernel": {"gateway": "small"}}), "succeeded"), "step_1") == 2
