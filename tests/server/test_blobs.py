"""Snapshots that travel: to a bucket, or through the server where a kernel does not see its folder."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from flownb.core.hashing import digest
from flownb.kernel.through_server import ThroughServer
from tests.support.cutting import Cutting
from tests.support.notebooks import cell
from tests.support.server import Server, returned

ASK = cell("pd.flow.suspend()", "ask")
MADE = "import numpy; a = numpy.arange(3_000_000); same = a[:10]; text = 'so much of the same ' * 50_000"
LOOKED = "a[0] = 5; [int(a.sum()), int(same[0]), len(text)]"
FOUND = [4_499_998_500_005, 5, 1_000_000]
BUCKET = "flownb"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
BLIND = """
import os, sys

def refuse(event, arguments):
    if event == "open" or event.startswith("os."):
        for path in arguments:
            if isinstance(path, str | bytes | os.PathLike) and ".flownb/snapshots" in os.fsdecode(path):
                raise PermissionError(13, "this kernel is on another machine")

sys.addaudithook(refuse)
from ipykernel.kernelapp import launch_new_instance
launch_new_instance()
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of a bucket; kernels and servers find their way by the environment."""
    moto = ThreadedMotoServer(port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
            patched.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client
        client.close()
    moto.stop()


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path], s3: Any) -> Iterator[Server]:
    cool = ("--FlowNB.warm_seconds=0", "--FlowNB.pool_size=0", "--FlowNB.keep_snapshots_seconds=0")
    running = Server(folders(), f"--FlowNB.blobs=s3://{BUCKET}/here", *cool).start()
    yield running
    running.close()


def objects(s3: Any, execution: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"here/{execution}/")
    return [one["Key"] for one in found.get("Contents", ())]


def test_variables_come_back_from_a_bucket(server: Server, s3: Any) -> None:
    """After the server was killed too; and what nobody knows any more goes."""
    execution = server.run(MADE, ASK, LOOKED)
    server.wait(execution, "suspended")
    assert any("/blobs/" in name for name in objects(s3, execution))
    assert not list((server.root / ".flownb" / "snapshots").iterdir())
    server.kill()
    s3.put_object(Bucket=BUCKET, Key=f"here/{execution}/blobs/{'0' * 64}", Body=b"of a crash")
    server.start()
    assert server.post(execution, "resume").status_code == 200
    assert returned(server.wait(execution, "succeeded"), "step_3") == FOUND
    server.until(lambda: not objects(s3, execution))


@pytest.mark.parametrize("harm", ["altered", "gone"])
def test_a_damaged_object_is_noticed(server: Server, s3: Any, harm: str) -> None:
    execution = server.run(MADE.replace("3_000_000", f"3_000_00{len(harm)}"), ASK, LOOKED)
    server.wait(execution, "suspended")
    for name in objects(s3, execution):
        if "/blobs/" in name:
            s3.delete_object(Bucket=BUCKET, Key=name)
            if harm == "altered":
                s3.put_object(Bucket=BUCKET, Key=name, Body=b"something else")
    assert server.post(execution, "resume").status_code == 200
    assert server.wait(execution, "failed")["reason"] == "snapshot_damaged"


def test_an_execution_goes_to_a_bucket_and_comes_from_one(server: Server, s3: Any) -> None:
    execution = server.run(MADE, ASK, LOOKED)
    server.wait(execution, "suspended")
    replay = server.post(execution, "replay", **{"from": "ask"}).json()["id"]
    server.wait(replay, "suspended")
    packed = server.http.get(f"/executions/{execution}/export")
    assert packed.status_code == 200
    assert server.post(execution, "cancel").status_code == 200
    assert server.post(replay, "resume").status_code == 200
    assert returned(server.wait(replay, "succeeded"), "step_3") == FOUND


@pytest.fixture(scope="module")
def apart(folders: Callable[[], Path]) -> Iterator[Server]:
    """A server whose kernels do not see its folder."""
    root = folders()
    spec = root / "share" / "kernels" / "blind"
    spec.mkdir(parents=True)
    (spec / "blind.py").write_text(BLIND)
    argv = [sys.executable, str(spec / "blind.py"), "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "blind", "language": "python"}))
    running = Server(root, "--FlowNB.warm_seconds=0", "--FlowNB.pool_size=0")
    running.environment |= {"JUPYTER_PATH": str(root / "share"), "XDG_CACHE_HOME": str(root / "cache")}
    yield running.start()
    running.close()


KERNEL = {"kernelspec": {"name": "blind", "display_name": "blind"}}


def test_variables_come_back_through_the_server(apart: Server) -> None:
    server = apart
    execution = server.run(MADE, ASK, LOOKED, **KERNEL)
    waiting = server.wait(execution, "suspended")
    assert not waiting["warnings"]
    server.kill()
    server.start()
    assert server.post(execution, "resume").status_code == 200
    done = server.wait(execution, "succeeded")
    assert returned(done, "step_3") == FOUND
    kept = list((server.root / ".flownb" / "snapshots" / execution).rglob("*"))
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)
    assert not any(".part" in file.name for file in kept)


def test_an_object_that_was_damaged_with_the_server_is_noticed(apart: Server) -> None:
    server = apart
    execution = server.run(MADE.replace("3_000_000", "3_000_001"), ASK, LOOKED, **KERNEL)
    server.wait(execution, "suspended")
    for file in (server.root / ".flownb" / "snapshots" / execution / "blobs").iterdir():
        file.write_bytes(b"something else")
    assert server.post(execution, "resume").status_code == 200
    assert server.wait(execution, "failed")["reason"] == "snapshot_damaged"


HOLD = """
import os, time, flownb.kernel.cells as cells
with open('new', 'w') as file:
    file.write(cells.running().data.key)
os.rename('new', {name!r})
while os.path.exists({name!r}):
    time.sleep(.01)
"""


def held(server: Server, name: str) -> tuple[str, str]:
    """An execution that runs until the file is removed, and its key."""
    execution = server.run(HOLD.format(name=name))
    server.until(lambda: (server.root / name).exists())
    return execution, (server.root / name).read_text()


def test_what_breaks_off_goes_on_where_it_stopped(apart: Server) -> None:
    """Both ways: little more than the content goes over a line that breaks again and again."""
    server = apart
    execution, key = held(server, "broken")
    content = os.urandom(8_000_000)
    name = f"blobs/{digest([content])}"
    for is_up in (True, False):
        with Cutting(server.port, cuts=3, after=2_000_000) as line:
            url = f"http://127.0.0.1:{line.port}/flownb/kernel/snapshots"
            way = ThroughServer({"url": url, "key": key, "certificate": None})
            if is_up:
                way.put(name, content)
            else:
                found = io.BytesIO()
                way.get(name, found)
                assert found.getvalue() == content
            way.close()
        assert 8_000_000 < line.sent < 12_000_000
    (server.root / "broken").unlink()
    server.wait(execution, "succeeded")


def test_the_way_in(apart: Server) -> None:
    """What the server takes, by the key of an execution that runs: whole or in parts, as it was announced, no more."""
    server = apart
    execution, key = held(server, "key")
    content = os.urandom(1_000_000)
    name = f"blobs/{digest([content])}"
    with httpx.Client(base_url=f"{server.url}flownb/kernel/snapshots/") as http:

        def put(first: int, end: int, what: str = name, shown: str = key) -> httpx.Response:
            headers = {
                "Authorization": f"Bearer {shown}",
                "Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}",
            }
            return http.put(what, content=content[first:end], headers=headers)

        allowed = {"Authorization": f"Bearer {key}"}
        refused = [put(0, len(content), shown=other).text for other in ("none", "x.1.y", f"{execution}.1.x", f"{key}x")]
        assert len(set(refused)) == 1
        assert put(0, len(content), "blobs/flownb.db").status_code == 404
        assert put(0, len(content), f"blobs/{'0' * 64}").status_code == 409
        assert put(7, len(content)).headers["Upload-Offset"] == "0"
        assert http.head(name, headers=allowed).status_code == 404
        assert put(0, len(content)).status_code == 201
        assert http.head(name, headers=allowed).headers["Content-Length"] == "1000000"
        rest = http.get(name, headers={**allowed, "Range": "bytes=900000-"})
        assert (rest.status_code, rest.content) == (206, content[900_000:])
        (server.root / "key").unlink()
        server.wait(execution, "succeeded")
        assert http.get(name, headers=allowed).status_code == 403
