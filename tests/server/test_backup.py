"""A backup of a server at work, made whole or not at all, and a server on what was restored from it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flownb import faults
from flownb.store import backup
from flownb.store.folder import DataFolder
from flownb.store.restore import CannotRestore, check, restore
from tests.support.command import COMMAND, flownb
from tests.support.notebooks import cell
from tests.support.server import REPOSITORY, TOKEN, Server, returned

MADE = "import random\nkept = random.Random(7).randbytes(300_000); same = kept"
BUSY = "kept = kept[1:] + kept[:1]\npd.flow.rerun(1, None, 100_000);"
ASK = cell("pd.flow.suspend(reason='Go on?');", "ask")
USE = "[len(kept), same is kept]"


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    made = Server(folders(), "--FlowNB.warm_seconds=0", "--FlowNB.max_running=2").start()
    yield made
    made.close()


def test_what_is_backed_up_under_load_goes_on_where_it_is_restored(
    server: Server, make_server: Callable[..., Server]
) -> None:
    waits = server.run(MADE, ASK, USE)
    busy = [server.run(MADE, BUSY) for _ in range(2)]
    resume = server.wait(waits, "suspended")["waiting"]["resume_url"]
    for one in busy:
        server.until(partial(_reruns, server, one, 2))
    other = make_server("--FlowNB.warm_seconds=0", "--FlowNB.max_running=2")
    file = other.root / "all.tar"
    for _ in range(2):
        said = flownb(server, "backup", str(file))
    assert "backed up 3 executions" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert check(file)["missing"] == []
    for one in busy:
        server.post(one, "cancel")
    data = DataFolder(other.root / ".flownb")
    restore(file, data.root)
    data.port.unlink()
    assert [stat.S_IMODE(one.stat().st_mode) for one in (data.root, data.key, data.database)] == [0o700, 0o600, 0o600]
    other.start()
    link = urlsplit(resume)
    assert httpx.post(f"http://127.0.0.1:{other.port}{link.path}").status_code == 200
    assert returned(other.wait(waits, "succeeded"), "step_3") == [300_000, True]
    for one in busy:
        other.until(partial(_reruns, other, one, other.get(one)["steps"][1]["runs"]))
        other.post(one, "cancel")
        other.wait(one, "cancelled")
    said = flownb(other, "verify", "--all")
    assert said.count("sound") == 3
    assert server.get(waits)["status"] == "suspended"


def _reruns(server: Server, execution: str, more: int) -> bool:
    return bool(server.get(execution)["steps"][1]["runs"] > more)


def test_a_backup_that_is_killed_in_the_middle_is_none_and_the_server_goes_on(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    server.environment[faults.VARIABLE] = "backup.copied"
    server.start()
    waits = server.run(MADE, ASK, USE)
    server.wait(waits, "suspended")
    file = server.root / "all.tar"
    flownb(server, "backup", str(file), status=3)
    assert server.died == -signal.SIGKILL
    assert list(server.root.glob("*all.tar*")) == []
    del server.environment[faults.VARIABLE]
    server.start()
    assert not DataFolder(server.root / ".flownb").backup.exists()
    killed(server.root, "backup.written", "backup", str(file), f"--server-url={server.url}")
    assert not file.exists()
    flownb(server, "backup", str(file))
    assert [one.name for one in server.root.glob("*all.tar*")] == ["all.tar"]
    server.post(waits, "resume")
    assert returned(server.wait(waits, "succeeded"), "step_3") == [300_000, True]


def killed(folder: Path, point: str, *command: str) -> None:
    environment = {**os.environ, "JUPYTER_TOKEN": TOKEN, faults.VARIABLE: point, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([COMMAND, *command], cwd=folder, env=environment, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done


def test_a_restore_is_whole_or_nothing(server: Server, tmp_path: Path) -> None:
    server.wait(server.run(MADE), "succeeded")
    file, data = tmp_path / "all.tar", tmp_path / "data"
    flownb(server, "backup", str(file))
    killed(tmp_path, "restore.unpacked", "restore", str(file), "--data-dir=data")
    assert not data.exists()
    killed(tmp_path, "restore.placed", "restore", str(file), "--data-dir=data")
    assert DataFolder(data).database.exists()
    with pytest.raises(CannotRestore, match="is not empty"):
        restore(file, data)
    shutil.rmtree(data)
    content = file.read_bytes()
    with tarfile.open(file) as packed:
        blob = next(one for one in packed if one.name.startswith("pool/"))
    broken = {
        "cut": content[: len(content) // 2],
        "without its end": content[: content.rindex(b"manifest.json") - 1024],
        "altered": content[: blob.offset_data] + b"?" + content[blob.offset_data + 1 :],
        "something else": b"no tar" * 1000,
        "empty": b"",
    }
    for how, found in broken.items():
        file.write_bytes(found)
        with pytest.raises(CannotRestore):
            restore(file, data)
        assert not data.exists(), how
        assert list(tmp_path.iterdir()) == [file], how


def test_what_is_removed_while_a_backup_is_made_is_in_it(server: Server, tmp_path: Path) -> None:
    waits = server.run(MADE, ASK)
    server.wait(waits, "suspended")
    folder = DataFolder(server.root / ".flownb")
    backup.begin(folder)
    folder.snapshots.remove(waits)
    file = tmp_path / "all.tar"
    file.write_bytes(b"".join(backup.pieces(folder, None)))
    backup.end(folder)
    manifest = check(file)
    assert manifest["missing"] == []
    assert any(name.startswith(f"snapshots/{waits}/") for name in manifest["files"])
