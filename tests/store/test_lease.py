"""One owner at a time: the next takes over when the former is gone or frozen, and not before."""

from __future__ import annotations

import contextlib
import fcntl
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flownb.store import lease
from flownb.store.lease import Lease

OWNER = """
import sys
from pathlib import Path
from flownb.store import lease
lease.BEAT = 0.05
lost = lambda: print("lost", flush=True)
mine = lease.Lease(Path(sys.argv[1]), {"url": sys.argv[2]}, lost)
print("waits", flush=True)
print("owns" if mine.acquire() else "gave up", flush=True)
sys.stdin.read()
"""


class Other:
    """A server's process, as far as the lease goes."""

    def __init__(self, path: Path, url: str) -> None:
        command = [sys.executable, "-c", OWNER, str(path), url]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.says() == "waits"

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[[str], Other]]:
    with contextlib.ExitStack() as stack:

        def start(url: str) -> Other:
            made = Other(tmp_path / "lease", url)
            stack.callback(made.close)
            return made

        yield start


@pytest.fixture(autouse=True)
def short_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.05)


@contextmanager
def waiting(path: Path) -> Iterator[tuple[Lease, threading.Thread]]:
    """A lease of this process that waits for its turn in a thread."""
    standby = Lease(path, {"url": "standby"}, lambda: None)
    thread = threading.Thread(target=standby.acquire)
    thread.start()
    try:
        yield standby, thread
    finally:
        standby.release()
        thread.join()


def own(path: Path, owner: dict[str, Any] | None = None, lost: Callable[[], None] = lambda: None) -> Lease:
    made = Lease(path, owner or {}, lost)
    assert made.acquire()
    return made


def test_the_next_server_takes_over_when_the_first_is_killed(tmp_path: Path, other: Callable[[str], Other]) -> None:
    first = other("first")
    assert first.says() == "owns"
    second = other("second")
    with waiting(tmp_path / "lease") as (here, _):
        assert here.owner() == {"url": "first"}
        first.signal(signal.SIGKILL)
        first.process.wait()
        here.release()
        assert second.says() == "owns"
        assert here.owner() == {"url": "second"}


def test_a_released_folder_is_free_for_the_next(tmp_path: Path) -> None:
    first = own(tmp_path / "lease", {"url": "first"})
    with waiting(tmp_path / "lease") as (standby, thread):
        thread.join(0.3)
        assert thread.is_alive()
        assert standby.owner() == {"url": "first"}
        first.release()
        thread.join()
        assert standby.owner() == {"url": "standby"}
    own(tmp_path / "lease").release()


def test_waiting_ends_with_release(tmp_path: Path) -> None:
    first = own(tmp_path / "lease")
    standby = Lease(tmp_path / "lease", {}, lambda: None)
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(standby.acquire()))
    thread.start()
    standby.release()
    thread.join()
    assert found == [False]
    first.release()
    first.release()


def test_a_wait_given_up_while_the_folder_falls_free_leaves_nothing_locked(tmp_path: Path) -> None:
    for _ in range(50):
        first = own(tmp_path / "lease")
        with waiting(tmp_path / "lease") as (standby, _thread):
            first.release()
            standby.release()
        with (tmp_path / "lease").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_frozen_owner_loses_the_folder_and_is_told_when_it_comes_back(
    tmp_path: Path, other: Callable[[str], Other], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SILENCE", 1.0)
    frozen = other("frozen")
    assert frozen.says() == "owns"
    with waiting(tmp_path / "lease") as (here, thread):
        frozen.signal(signal.SIGSTOP)
        thread.join()
        assert here.owner() == {"url": "standby"}
        frozen.signal(signal.SIGCONT)
        assert frozen.says() == "lost"
        assert here.owner() == {"url": "standby"}


def test_an_owner_that_gives_signs_of_life_keeps_the_folder(
    tmp_path: Path, other: Callable[[str], Other], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SILENCE", 1.0)
    assert other("alive").says() == "owns"
    with waiting(tmp_path / "lease") as (here, thread):
        thread.join(2.0)
        assert thread.is_alive()
        assert here.owner() == {"url": "alive"}


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.replace(path.with_name("elsewhere"))])
def test_an_owner_whose_file_is_gone_is_told(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    told = threading.Event()
    mine = own(tmp_path / "lease", lost=told.set)
    harm(tmp_path / "lease")
    told.wait()
    own(tmp_path / "lease").release()
    mine.release()


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"url": '])
def test_of_an_unreadable_owner_nothing_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "lease").write_text(content)
    assert Lease(tmp_path / "lease", {}, lambda: None).owner() == {}
    assert Lease(tmp_path / "missing", {}, lambda: None).owner() == {}
