"""What is different in Postgres, and must not be seen: two writers, lost connections, signs that it does not take."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flownb.core import events
from flownb.core.model import Action, Attempt, Status
from flownb.core.notebook import Workflow
from flownb.core.settings import Quota, Settings
from flownb.store import data, journal, queries, servers, sql, starts
from flownb.store.engine import Database, DatabaseError, Engine
from flownb.store.engines import engine
from flownb.store.postgres import Postgres
from flownb.store.sqlite import Sqlite, SqliteConnection
from flownb.store.store import Store
from flownb.store.transfer import NUMBERED, TABLES, CannotTransfer, transfer
from flownb.store.writer import Fenced, StoreError, Writer
from tests.store.stored import CONTENT, KEY, START, SUSPEND, StillClock, new
from tests.support.asyncio import in_loop
from tests.support.postgres import new_database
from tests.support.replay import replay

LEFT = {"servers", "claims"}
"""Tables that say who is at work: nobody is where a record is copied."""


@pytest.fixture(scope="module")
def url() -> str:
    return new_database()


def tables(at: Engine) -> dict[str, set[str]]:
    with closing(at.writing()) as db:
        known = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite_%'"
        if not isinstance(db, SqliteConnection):
            known = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'migrations'"
        return {table: sql.columns(db, table) for table in sql.column(db, known)}


def indexes(at: Engine) -> set[str]:
    with closing(at.writing()) as db:
        known = "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE '%sqlite_%'"
        if not isinstance(db, SqliteConnection):
            known = """SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
                       AND indexname NOT LIKE '%_key' AND indexname NOT LIKE '%_pkey'"""
        return set(sql.column(db, known)) - {"happenings_key"}


def test_both_have_the_same_tables_columns_and_indexes_and_all_of_them_are_copied(tmp_path: Path, url: str) -> None:
    here, there = Sqlite(tmp_path / "db"), Postgres(url)
    assert tables(here) == tables(there)
    assert indexes(here) == indexes(there)
    assert set(TABLES) == tables(here).keys() - LEFT


@in_loop
async def test_texts_are_kept_and_ordered_by_their_bytes_and_numbers_are_as_large(tmp_path: Path, url: str) -> None:
    keys = ["\0", "\0a", "\1", "\1\1", "\1\2", "a\0", "a\0b", "a\1", "B", "a", "ab", "b", "\x7f", "é", "漢", "😀"]
    for at in (Sqlite(tmp_path / "db"), Postgres(url)):
        store = Store(at, KEY, StillClock())
        await store.open()
        for key in keys:
            await store.write(partial(data.put, store="s", key=key, value={"of": key}, now=START))
        found, _ = await store.read(partial(data.page, store="s", now=START, limit=99))
        assert [kept.key for kept in found] == sorted(keys)
        assert [kept.value for kept in found] == [{"of": key} for key in sorted(keys)]
        under, _ = await store.read(partial(data.page, store="s", now=START, prefix="a\0", limit=99))
        assert [kept.key for kept in under] == ["a\0", "a\0b"]
        await store.note("far", 2**63 - 1)
        await store.write(lambda db: sql.update(db, "data", {"size": 2**50}, "store = ?", "s"))
        assert (await store.read(partial(data.size, store="s", now=START))).bytes == 2**50 * len(keys)
        await store.close()


def add(db: Database, name: str) -> None:
    """What is lost where two transactions read before either writes."""
    row = sql.first_row(db, "SELECT value FROM meta WHERE name = ?", name)
    sql.put(db, "meta", {"name": name, "value": str(int(row["value"]) + 1 if row else 1)}, ("name",))


def test_of_two_connections_one_writes_at_a_time(url: str) -> None:
    def work() -> None:
        with closing(Postgres(url).writing()) as db:
            for _ in range(100):
                db.begin_writing()
                add(db, "both")
                db.commit()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(Postgres(url).reading()) as db:
        assert sql.column(db, "SELECT value FROM meta WHERE name = 'both'") == ["200"]


def end_others(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )


@in_loop
async def test_a_connection_that_is_lost_is_made_anew_and_nothing_is_half_done(url: str) -> None:
    def lose(db: Database) -> None:
        add(db, "lost")
        end_others(url)
        add(db, "lost")

    store = Store(Postgres(url), KEY, StillClock())
    await store.open()
    done = await store.carry_out([lose, partial(add, name="beside")])
    assert [type(error) for error in done] == [StoreError, StoreError]
    await store.write(partial(add, name="after"))
    end_others(url)
    await store.write(partial(add, name="after"))
    end_others(url)
    known = "SELECT name, value FROM meta WHERE name IN ('lost', 'beside', 'after')"
    assert await store.read(lambda db: sql.query(db, known)) == [{"name": "after", "value": "2"}]
    await store.close()


@in_loop
async def test_a_commit_of_which_nothing_is_known_is_an_error_and_not_repeated(url: str) -> None:
    def orphan(db: Database) -> None:
        add(db, "unknown")
        commit = db.commit  # type: ignore[attr-defined]

        def committed_and_lost() -> None:
            commit()
            del db.commit  # type: ignore[attr-defined]
            end_others(url)
            commit()

        db.commit = committed_and_lost  # type: ignore[attr-defined]

    writer = Writer(Postgres(url), key=KEY.name)
    await writer.open()
    jobs: list[Callable[[Database], None]] = [partial(add, name="unknown"), orphan]
    errors = await writer.run_all(jobs, lambda _: None)
    assert [type(error) for error in errors] == [StoreError, StoreError]
    value = await writer.run(lambda db: sql.column(db, "SELECT value FROM meta WHERE name = 'unknown'"))
    assert value == ["2"]
    await writer.close()


@in_loop
async def test_others_hear_of_what_was_committed_and_not_of_what_changed_nothing(url: str) -> None:
    first, second = Postgres(url), Postgres(url)
    writer = Writer(first, key=KEY.name)
    await writer.open()
    own, others = first.listening(), second.listening()
    await writer.run(lambda db: sql.column(db, "SELECT 1 FROM meta"))
    assert not others.wait(0.1)
    await writer.run(partial(add, name="told"))
    assert others.wait(30)
    assert not own.wait(0.1), "a word of its own"
    for one in (own, others):
        one.close()
    await writer.close()


@pytest.mark.parametrize("bad", [f"postgresql://ada:s3cret@{rest}" for rest in ("127.0.0.1:1/x", "[x", "h:p@q:x/y?z")])
@in_loop
async def test_a_password_is_in_no_error_and_no_repr(bad: str, tmp_path: Path) -> None:
    store = Store(engine(bad, tmp_path / "db"), KEY, StillClock())
    with pytest.raises(StoreError) as raised:
        await store.open()
    await store.close()
    assert "s3cret" not in f"{raised.value!s}{raised.value!r}{Postgres(bad)!r}{Postgres(bad)!s}"


LIMITED = Workflow("v1", "python3", Settings(quota=Quota(queued=5)), (), (), {})
PLANS: dict[str, tuple[Callable[[Database], Any], str]] = {
    "due": (lambda db: queries.due(db, START, 5), "executions_due"),
    "next due": (queries.next_due, "executions_due"),
    "link": (lambda db: queries.link(db, "x", KEY), "links_pkey"),
    "latest": (lambda db: journal.latest(db, "one"), "journal_execution"),
    "queue": (lambda db: starts._demand_room(db, "flow", LIMITED), "executions_queue"),
}


class Explained:
    """A connection that asks how the statements would be carried out."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.plans: list[str] = []

    def execute(self, statement: str, parameters: Any = None) -> Any:
        self.plans += sql.column(self._db, f"EXPLAIN {statement}", *(parameters or ()))
        return self._db.execute(statement, parameters)


@pytest.mark.parametrize("name", PLANS)
def test_the_hot_path_goes_by_index(name: str, url: str) -> None:
    query, index = PLANS[name]
    with closing(Postgres(url).reading()) as db:
        db.execute("SET enable_seqscan = off")
        db.execute("SET enable_bitmapscan = off")
        explained: Any = Explained(db)
        query(explained)
        plan = "\n".join(explained.plans)
        assert f"using {index} " in plan
        assert "Sort" not in plan.replace("Sort Key: due_at, seq", "").replace("Incremental Sort", "")


async def fill(store: Store) -> None:
    for name in ("one", "two"):
        await store.create(new(name), CONTENT)
        for event in SUSPEND:
            await store.apply(name, event)
    await store.write(partial(data.put, store="s", key="k\0", value=1, now=START))
    await store.request("one", events.RequestArrived(Action.RESUME, {"body": None}))


def dump(at: Engine) -> dict[str, Any]:
    with closing(at.reading()) as db:
        db.begin_reading()
        found: dict[str, Any] = {table: sorted(sql.query(db, f"SELECT * FROM {table}"), key=repr) for table in TABLES}
        return {**found, "counters": {table: db.counted(table) for table in NUMBERED}}


@in_loop
async def test_a_record_goes_to_postgres_and_back_and_goes_on_after_each_step(tmp_path: Path) -> None:
    here, there, back = Sqlite(tmp_path / "a"), Postgres(new_database()), Sqlite(tmp_path / "b")
    store = Store(here, KEY, StillClock())
    await store.open()
    await fill(store)
    await store.close()
    transfer(here, there, KEY)
    assert dump(here) == dump(there)
    transfer(there, back, KEY)
    assert dump(here) == dump(back)
    with pytest.raises(CannotTransfer, match="not empty"):
        transfer(here, there, KEY)
    for at in (there, back):
        store = Store(at, KEY, StillClock())
        await store.open()
        event = events.RequestArrived(Action.RESUME, {"body": 1}, Attempt("a", 1, 1))
        answer, after = await store.request("two", event)
        assert (answer.status, after.status) == ("resumed", Status.QUEUED)
        await store.create(new("three"), CONTENT)
        await store.close()
        assert len(replay(at)) == 3
    assert dump(there) != dump(here)


@in_loop
async def test_a_record_is_not_copied_while_a_server_is_at_work_nor_in_part(tmp_path: Path, monkeypatch: Any) -> None:
    here, there = Sqlite(tmp_path / "a"), Postgres(new_database())
    store = Store(here, KEY, StillClock())
    await store.open()
    await fill(store)
    await store.close()
    with closing(there.writing()), pytest.raises(CannotTransfer, match="server is at work"):
        transfer(here, there, KEY)
    monkeypatch.setattr("flownb.store.transfer.verify", lambda db, key, id: object())
    before = dump(here)
    with pytest.raises(CannotTransfer, match="does not verify"):
        transfer(here, there, KEY)
    assert dump(here) == before
    assert not any(rows for table, rows in dump(there).items() if table != "counters")


@in_loop
async def test_a_writer_whose_place_another_has_taken_changes_nothing_more(url: str) -> None:
    first, second = Writer(Postgres(url), key=KEY.name), Writer(Postgres(url), key=KEY.name)
    await first.open()
    await second.open()
    await first.run(partial(add, name="both write"))
    await second.run(partial(servers.leave, server=first.server))
    with pytest.raises(Fenced):
        await first.run(partial(add, name="fenced"))
    await second.run(partial(add, name="fenced"))
    for writer in (first, second):
        await writer.close()


@in_loop
async def test_servers_on_one_store_have_one_key(url: str) -> None:
    first, second = Writer(Postgres(url), key=KEY.name), Writer(Postgres(url), key="other")
    await first.open()
    with pytest.raises(StoreError, match=r"have the key 'first', and this one has 'other'.*key\.json"):
        await second.open()
    await first.close()


def test_readers_can_change_nothing(url: str) -> None:
    with closing(Postgres(url).reading()) as db, pytest.raises(DatabaseError, match="read-only"):
        db.execute("DELETE FROM executions")
