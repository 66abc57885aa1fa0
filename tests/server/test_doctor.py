"""Which executions an upgrade would strand: real checkpoints, tried with real interpreters."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flownb.server import interpreters
from flownb.server.interpreters import Interpreter, NoAnswer
from tests.support.asyncio import in_loop
from tests.support.environments import environment, site_of
from tests.support.notebooks import cell
from tests.support.server import REPOSITORY, Server

ASK = cell("pd.flow.suspend();", "ask")
SHAPES = "__version__ = '1.0'\nclass Box: pass"
NEW_SHAPES = "__version__ = '2.0'\nclass Crate: pass"
BOX = "import random, shapes\nbox = shapes.Box()\nmuch = random.randbytes(500_000)"
DIALS = """
class Line:
    def __setstate__(self, state): __import__("socket").create_connection(state["address"])
line = Line(); line.address = {address!r}
"""
DIES = """
class Fragile:
    def __setstate__(self, state): __import__("os")._exit(3)
fragile = Fragile(); fragile.x = 1
"""
TALKS = """
import own
class Talkative:
    def __setstate__(self, state): __import__("os").write(1, b"said"); print("more", flush=True)
talkative = Talkative(); talkative.x = own.x
"""


@dataclass(frozen=True)
class Ward:
    """A server with executions that wait, by name, and environments."""

    server: Server
    folder: Path
    waiting: dict[str, str]
    calls: socket.socket

    def examined(self, python: Path | str | None = None) -> dict[str, dict[str, Any]]:
        """What is said of each execution, by its name."""
        answer = self.server.http.post("/doctor", json={"python": python and str(python)})
        assert answer.status_code == 200, answer.text
        assert answer.json()["python"] == (python and str(python))
        said = {one["id"]: one for one in answer.json()["executions"]}
        assert said.keys() == set(self.waiting.values())
        return {name: said[execution] for name, execution in self.waiting.items()}


@pytest.fixture(scope="module")
def ward(folders: Callable[[], Path]) -> Iterator[Ward]:
    folder, server = folders(), Server(folders(), "--FlowNB.warm_seconds=0")
    python = environment(folder / "old", shapes=SHAPES)
    specification = folder / "share" / "kernels" / "old" / "kernel.json"
    specification.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    # Without flownb, so that the kernel has it from the server.
    content = {"argv": argv, "display_name": "old", "language": "python", "env": {"PYTHONPATH": ""}}
    specification.write_text(json.dumps(content))
    server.environment["JUPYTER_PATH"] = str(folder / "share")
    (server.root / "own.py").write_text("x = 1")
    with socket.create_server(("127.0.0.1", 0)) as calls:
        server.start()
        old = {"name": "old", "display_name": "old"}
        lost = cell("import socket\nline = socket.socket()", None, "setup")
        started = {
            "box": server.run(BOX, ASK, "type(box).__name__", kernelspec=old),
            "talks": server.run(lost, TALKS, ASK, "line.family.name"),
            "dials": server.run(DIALS.format(address=calls.getsockname()), ASK),
            "dies": server.run(DIES, ASK),
            "none": server.run("#| checkpoint: false\npd.flow.suspend();"),
        }
        server.wait(server.run("x = 1"), "succeeded")
        for execution in started.values():
            server.wait(execution, "suspended")
        yield Ward(server, folder, started, calls)
        server.close()


def test_as_things_are_whatever_can_be_read_is_ok(ward: Ward) -> None:
    calm: dict[str, Any] = {"status": "ok", "reason": None, "changed": {}, "step": "ask"}
    said = ward.examined()
    assert said["box"] == {**calm, "id": ward.waiting["box"], "workflow": "n0.ipynb"}
    assert said["talks"] == {**calm, "id": ward.waiting["talks"], "workflow": "n1.ipynb"}
    assert said["none"]["status"] == "stranded"
    assert "turned its checkpoint off" in said["none"]["reason"]


def test_one_that_ends_the_process_costs_no_other(ward: Ward) -> None:
    said = ward.examined()["dies"]
    assert said["status"] == "stranded"
    assert "ended with status 3" in said["reason"]


def test_what_is_only_tried_calls_nobody(ward: Ward) -> None:
    said = ward.examined()["dials"]
    assert "variable 'line': ConnectionError: there is no network" in said["reason"]
    ward.calls.settimeout(0)
    with pytest.raises(BlockingIOError):
        ward.calls.accept()


def test_an_environment_is_tried_before_it_is_put_to_use(ward: Ward) -> None:
    said = ward.examined(environment(ward.folder / "new", shapes=NEW_SHAPES))
    assert said["talks"]["status"] == "ok"
    assert said["box"]["status"] == "stranded"
    assert "variable 'box': AttributeError: " in said["box"]["reason"]
    assert said["box"]["changed"] == {"shapes": ["1.0", "2.0"]}


def test_what_is_missing_is_named(ward: Ward) -> None:
    said = ward.examined(environment(ward.folder / "without"))["box"]
    assert "No module named 'shapes'" in said["reason"]
    assert said["changed"] == {"shapes": ["1.0", None]}
    said = ward.examined(environment(ward.folder / "bare", packages=False))["talks"]
    assert said["reason"] == "ModuleNotFoundError: No module named 'ipykernel'"


def test_setup_cells_are_not_run_and_where_that_may_matter_it_is_said(ward: Ward) -> None:
    client = "import socket\nclass Client:\n    def __init__(self): self.socket = socket.socket()\nclient = Client()"
    execution = ward.server.run(cell(client, None, "setup"), "held = [Client()]", ASK, "len(held)")
    ward.server.wait(execution, "suspended")
    answer = ward.server.http.post("/doctor", json={}).json()
    (said,) = [one for one in answer["executions"] if one["id"] == execution]
    assert "variable 'held'" in said["reason"]
    assert said["reason"].endswith("were not run for this")
    ward.server.post(execution, "resume")
    ward.server.wait(execution, "succeeded")


def test_an_upgrade_that_is_done_is_seen_and_nothing_is_changed_by_looking(ward: Ward) -> None:
    shapes = site_of(ward.folder / "old") / "shapes.py"
    before = files(ward.server.root)
    shapes.write_text(NEW_SHAPES)
    said = ward.examined()["box"]
    assert (said["status"], said["changed"]) == ("stranded", {"shapes": ["1.0", "2.0"]})
    assert files(ward.server.root) == before
    shapes.write_text(SHAPES)
    assert ward.examined()["box"]["status"] == "ok"
    for name, value in (("box", "Box"), ("talks", "AF_INET")):
        execution = ward.waiting.pop(name)
        ward.server.post(execution, "resume")
        done = ward.server.wait(execution, "succeeded")
        assert done["steps"][-1]["exports"]["$return_value"] == value
    assert "dies" in ward.examined()


def files(root: Path) -> dict[Path, tuple[int, int]]:
    """Every file with its size and time of change, but for those in which the server at work notes how far it is."""
    of_the_server = ("server.json", "flownb.db-wal", "flownb.db-shm")
    found = {path: path.stat() for path in root.rglob("*") if "kernels" not in path.parts}
    return {path: (about.st_size, about.st_mtime_ns) for path, about in found.items() if path.name not in of_the_server}


def test_the_size_counts_what_is_shared_once(ward: Ward) -> None:
    found = [path.stat() for path in (ward.server.root / ".flownb" / "snapshots").rglob("*") if path.is_file()]
    size = sum({about.st_ino: about.st_size for about in found}.values())
    assert ward.server.http.post("/doctor").json()["disk_bytes"] == size > 0
    assert size < sum(about.st_size for about in found)


def other_python() -> Path:
    """An interpreter of another minor version, beside the one that we run on or on the path."""
    beside = Path(sys.base_prefix).parent.glob("*/bin/python3")
    named = (shutil.which(f"python3.{minor}") for minor in range(9, 20))
    for path in (*beside, *(Path(name) for name in named if name)):
        asked = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
        if asked.returncode == 0 and asked.stdout.split() != [str(part) for part in sys.version_info[:2]]:
            return path
    pytest.skip("there is no other minor version of Python on this machine")


def test_another_minor_version_of_python_strands_all(ward: Ward) -> None:
    said = ward.examined(other_python())
    assert {one["status"] for one in said.values()} == {"stranded"}
    assert "only that minor version reads it" in said["dials"]["reason"]
    assert list(said["dials"]["changed"]) == ["python"]


@pytest.mark.parametrize("python", ["/no/such/python", "python3", "", "/\0", str(REPOSITORY), 1, [], "/bin/true"])
def test_what_is_no_interpreter_is_refused(ward: Ward, python: Any) -> None:
    assert ward.server.http.post("/doctor", json={"python": python}).status_code == 400


def test_a_kernelspec_that_is_gone_strands_its_executions(ward: Ward) -> None:
    execution = ward.server.run("x = 1", ASK, kernelspec={"name": "old", "display_name": "old"})
    ward.server.wait(execution, "suspended")
    kernels = ward.folder / "share" / "kernels"
    (kernels / "old").rename(kernels / "other")
    answer = ward.server.http.post("/doctor").json()
    (said,) = [one for one in answer["executions"] if one["id"] == execution]
    assert said["reason"] == "there is no kernelspec 'old' any more"


@in_loop
async def test_a_process_that_does_not_answer_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "SECONDS", 3.0)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hanging = f"import subprocess, time; subprocess.Popen(['sleep', '300'], stdout=open({str(pipe)!r}, 'w'))\n"
    asked = asyncio.create_task(Interpreter([sys.executable]).answer("-c", f"{hanging}time.sleep(300)"))
    ended = asyncio.create_task(asyncio.to_thread(pipe.read_text))  # when nobody has it open for writing any more
    with pytest.raises(NoAnswer, match="did not answer within 3 s"):
        await asked
    assert await asyncio.wait_for(ended, 30) == ""
