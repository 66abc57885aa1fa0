"""One thread writes: what waits together is committed together, and nobody is told before it is on disk."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from flownb.store.engine import Database
from flownb.store.sqlite import Sqlite
from flownb.store.writer import MOST_TOGETHER, Fenced, StoreError, Writer
from tests.store.stored import of_sqlite, rows
from tests.support.asyncio import in_loop


@asynccontextmanager
async def writing(path: Path, journal_mode: str = "WAL") -> AsyncIterator[Writer]:
    writer = Writer(Sqlite(path, journal_mode))
    await writer.open()
    try:
        yield writer
    finally:
        await writer.close()


@asynccontextmanager
async def held(writer: Writer) -> AsyncIterator[list[str]]:
    """Within the block the writer is busy, so that jobs wait; yields its statements from then on."""
    began, go = threading.Event(), threading.Event()
    statements: list[str] = []

    def hold(db: Database) -> None:
        of_sqlite(db).conn.set_trace_callback(statements.append)
        began.set()
        go.wait()

    holding = asyncio.create_task(writer.run(hold))
    await asyncio.to_thread(began.wait)
    yield statements
    await asyncio.sleep(0)  # tasks made in the block hand in their jobs
    go.set()
    await holding


def put(name: str, value: str = "") -> Callable[[Database], str]:
    """A job that writes a row, and fails where the name is taken."""

    def job(db: Database) -> str:
        db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        return name

    return job


def kept(path: Path) -> list[str]:
    return [name for (name,) in rows(path, "SELECT name FROM meta ORDER BY name")]


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def raise_error(db: Database) -> None:
    db.execute("INSERT INTO meta VALUES ('half', '')")
    raise ValueError("of the job")


@in_loop
async def test_jobs_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    async with writing(tmp_path / "db") as writer:
        async with held(writer) as statements:
            jobs = [asyncio.create_task(writer.run(put(f"{n}"))) for n in range(2 * MOST_TOGETHER)]
        assert await asyncio.gather(*jobs) == [f"{n}" for n in range(2 * MOST_TOGETHER)]
        assert len(kept(tmp_path / "db")) == 2 * MOST_TOGETHER
        assert statements.count("COMMIT") == 1 + 2


@in_loop
async def test_a_job_that_raises_costs_no_other_job_and_no_other_commit(tmp_path: Path) -> None:
    async with writing(tmp_path / "db") as writer:
        async with held(writer) as statements:
            jobs: list[asyncio.Task[Any]] = [
                asyncio.create_task(writer.run(job)) for job in (put("a"), raise_error, put("b"))
            ]
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert (done[0], str(done[1]), done[2]) == ("a", "of the job", "b")
        assert kept(tmp_path / "db") == ["a", "b"]
        assert statements.count("COMMIT") == 1 + 1


def take_again(db: Database) -> None:
    db.execute("INSERT INTO meta VALUES ('half', '')")
    db.execute("INSERT INTO meta VALUES ('a', '')")


def misspell(db: Database) -> None:
    db.execute("INSERT INTO meta VALUES ('half', '')")
    db.execute("INSRT INTO meta VALUES ('b', '')")


@pytest.mark.parametrize("bad", [take_again, misspell])
@in_loop
async def test_what_the_database_refuses_fails_alone(tmp_path: Path, bad: Callable[[Database], None]) -> None:
    async with writing(tmp_path / "db") as writer:
        async with held(writer):
            jobs: list[asyncio.Task[Any]] = [
                asyncio.create_task(writer.run(job)) for job in (put("a"), bad, raise_error, put("b"))
            ]
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(one) for one in done] == [str, StoreError, ValueError, str]
        assert await writer.run(put("c")) == "c"
        assert kept(tmp_path / "db") == ["a", "b", "c"]


@in_loop
async def test_a_full_disk_fails_what_does_not_fit_and_no_more(tmp_path: Path) -> None:
    def fill(db: Database) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 3}")

    def make_room(db: Database) -> None:
        db.execute("PRAGMA max_page_count = 1000000")

    async with writing(tmp_path / "db") as writer:
        await writer.run(fill)
        async with held(writer):
            jobs: list[asyncio.Task[Any]] = [
                asyncio.create_task(writer.run(job)) for job in (put("a"), put("large", "x" * 100_000), put("b"))
            ]
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert (done[0], done[2]) == ("a", "b")
        assert isinstance(done[1], StoreError)
        assert "full" in str(done[1])
        await writer.run(make_room)
        assert await writer.run(put("large", "x" * 100_000)) == "large"
        assert kept(tmp_path / "db") == ["a", "b", "large"]


@in_loop
async def test_a_commit_that_fails_is_told_to_all_and_keeps_nothing(tmp_path: Path) -> None:
    def orphan(db: Database) -> None:
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("INSERT INTO links VALUES (x'00', 'nobody', 'step', 1, 1, 'resume', 'key')")

    async with writing(tmp_path / "db") as writer:
        async with held(writer):
            jobs: list[asyncio.Task[Any]] = [asyncio.create_task(writer.run(job)) for job in (put("a"), orphan)]
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(one) for one in done] == [str, StoreError]
        assert (kept(tmp_path / "db"), rows(tmp_path / "db", "SELECT * FROM links")) == (["a"], [])


@in_loop
async def test_jobs_that_wait_together_wait_once_for_a_database_that_is_locked(tmp_path: Path) -> None:
    statements: list[str] = []

    def be_short(db: Database) -> None:
        db.execute("PRAGMA busy_timeout = 200")
        of_sqlite(db).conn.set_trace_callback(statements.append)

    async with writing(tmp_path / "db") as writer:
        await writer.run(be_short)
        with closing(sqlite3.connect(tmp_path / "db")) as other:
            other.execute("BEGIN IMMEDIATE")
            done = await asyncio.gather(*(writer.run(put(f"{n}")) for n in range(20)), return_exceptions=True)
        assert [type(one) for one in done] == [StoreError] * 20
        # The first to come waits, the rest of them wait together behind it.
        assert statements.count("BEGIN IMMEDIATE") <= 2
        assert await writer.run(put("a")) == "a"
        assert kept(tmp_path / "db") == ["a"]


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
@in_loop
async def test_a_result_comes_after_the_commit(tmp_path: Path, journal_mode: str) -> None:
    seen: list[list[str]] = []
    async with writing(tmp_path / "db", journal_mode) as writer:
        for name in "abc":
            await writer.run(put(name), lambda _: seen.append(kept(tmp_path / "db")))
            assert kept(tmp_path / "db")[-1] == name
    assert seen == [["a"], ["a", "b"], ["a", "b", "c"]]


@in_loop
async def test_then_is_called_in_the_order_of_commits_also_for_a_caller_who_left(tmp_path: Path) -> None:
    heard: list[str] = []
    async with writing(tmp_path / "db") as writer:
        async with held(writer):
            jobs = [asyncio.create_task(writer.run(put(name), heard.append)) for name in "abcdef"]
            refused = asyncio.create_task(writer.run(put("a"), heard.append))
            await asyncio.sleep(0)
            jobs[2].cancel()
        await asyncio.gather(*jobs, refused, return_exceptions=True)
    assert (heard, jobs[2].cancelled()) == (list("abcdef"), True)


@in_loop
async def test_then_that_raises_costs_no_other_job_its_answer(tmp_path: Path) -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(str(told["exception"])))

    def complain(name: str) -> None:
        raise RuntimeError(f"heard of {name}")

    async with writing(tmp_path / "db") as writer:
        async with held(writer):
            jobs = [asyncio.create_task(writer.run(put(name), complain)) for name in "ab"]
        assert await asyncio.gather(*jobs) == ["a", "b"]
    assert complaints == ["heard of a", "heard of b"]


@in_loop
async def test_many_jobs_of_one_order_succeed_or_fail_each_for_itself(tmp_path: Path) -> None:
    heard: list[str] = []
    async with writing(tmp_path / "db") as writer:
        async with held(writer) as statements:
            jobs: list[Callable[[Database], Any]] = [put("a"), raise_error, put("b")]
            order = asyncio.create_task(writer.run_all(jobs, heard.append))
            other = asyncio.create_task(writer.run(put("c"), heard.append))
        errors = await order
        assert await other == "c"
        assert [type(error) for error in errors] == [type(None), ValueError, type(None)]
        assert (heard, kept(tmp_path / "db")) == (["a", "b", "c"], ["a", "b", "c"])
        assert statements.count("COMMIT") == 1 + 1
        jobs = [put("d"), take_again, put("e")]
        errors = await writer.run_all(jobs, heard.append)
        assert [type(error) for error in errors] == [type(None), StoreError, type(None)]
        assert kept(tmp_path / "db") == ["a", "b", "c", "d", "e"]


@in_loop
async def test_closing_finishes_what_was_handed_in_and_refuses_more(tmp_path: Path) -> None:
    writer = Writer(Sqlite(tmp_path / "db"))
    await writer.open()
    async with held(writer):
        jobs = [asyncio.create_task(writer.run(put(name))) for name in "abc"]
        await asyncio.sleep(0)
        closing_writer = asyncio.create_task(writer.close())
    await closing_writer
    assert await asyncio.gather(*jobs) == ["a", "b", "c"]
    await writer.close()
    with pytest.raises(StoreError, match="closed"):
        await writer.run(put("d"))
    assert kept(tmp_path / "db") == ["a", "b", "c"]


@in_loop
async def test_a_writer_that_another_took_over_from_changes_nothing_more(tmp_path: Path) -> None:
    async with writing(tmp_path / "db") as first:
        assert await first.run(put("a")) == "a"
        async with writing(tmp_path / "db") as second:
            async with held(second):
                pass
            jobs: list[asyncio.Task[Any]] = [asyncio.create_task(first.run(job)) for job in (put("b"), put("c"))]
            done = await asyncio.gather(*jobs, return_exceptions=True)
            assert [type(one) for one in done] == [Fenced, Fenced]
            assert await second.run(put("d")) == "d"
        with pytest.raises(Fenced):
            await first.run(put("e"))
    assert kept(tmp_path / "db") == ["a", "d"]


@in_loop
async def test_opening_waits_for_a_former_owner_in_the_middle_of_a_commit(tmp_path: Path) -> None:
    async with writing(tmp_path / "db"):
        pass
    with closing(sqlite3.connect(tmp_path / "db")) as former:
        former.execute("BEGIN IMMEDIATE")
        former.execute("INSERT INTO meta VALUES ('late', '')")
        writer = Writer(Sqlite(tmp_path / "db"))
        opening = asyncio.create_task(writer.open())
        await asyncio.wait([opening], timeout=0.3)
        former.commit()
        await opening
        await writer.close()
    assert kept(tmp_path / "db") == ["late"]


@in_loop
async def test_two_servers_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    writers = [Writer(Sqlite(tmp_path / "db")) for _ in range(4)]
    await asyncio.gather(*(writer.open() for writer in writers))
    done = await asyncio.gather(*(w.run(put(f"{n}")) for n, w in enumerate(writers)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Fenced", "Fenced", "Fenced", "str"]
    for writer in writers:
        await writer.close()


@in_loop
async def test_a_database_that_cannot_be_had_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "text").write_text("This is no database, though long enough to be looked at as one. " * 20)
    for path in (tmp_path / "file" / "db", tmp_path / "nowhere" / "db", tmp_path / "text"):
        writer = Writer(Sqlite(path))
        with pytest.raises(StoreError, match="cannot be opened"):
            await writer.open()
        with pytest.raises(StoreError, match="closed"):
            await writer.run(put("a"))
        await writer.close()


@pytest.mark.parametrize(("journal_mode", "files"), [("WAL", {"db", "db-wal", "db-shm"}), ("DELETE", {"db"})])
@in_loop
async def test_the_files_are_for_their_owner_alone(tmp_path: Path, journal_mode: str, files: set[str]) -> None:
    async with writing(tmp_path / "db", journal_mode) as writer:
        await writer.run(put("a"))
        assert modes(tmp_path) == dict.fromkeys(files, 0o600)


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
@in_loop
async def test_a_commit_is_on_disk_and_references_are_held(tmp_path: Path, journal_mode: str) -> None:
    def pragmas(db: Database) -> list[Any]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "foreign_keys", "journal_mode")]

    full = 2
    async with writing(tmp_path / "db", journal_mode) as writer:
        assert await writer.run(pragmas) == [full, 1, journal_mode.lower()]


@in_loop
async def test_the_journal_mode_may_be_changed_between_two_starts(tmp_path: Path) -> None:
    for name, journal_mode in zip("abc", ("WAL", "DELETE", "WAL"), strict=True):
        async with writing(tmp_path / "db", journal_mode) as writer:
            await writer.run(put(name))
    assert kept(tmp_path / "db") == ["a", "b", "c"]
