"""Messages on disk: there with what they tell of, once, and read when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flownb.core.transitions import NotNow
from flownb.store import outbox
from flownb.store.outbox import MAIL, Message, Status
from flownb.store.sqlite import Sqlite, open_database
from flownb.store.store import Change, Store
from tests.store.stored import BEGIN, CONTENT, KEY, START, StillClock, finished, new, plans
from tests.support.asyncio import in_loop


def message(key: str, **fields: Any) -> Message:
    return Message(**{"key": key, "execution": "one", "channel": MAIL, "content": {}, "created_at": START, **fields})


def post(change: Change, mails: Sequence[Any]) -> list[Message]:
    return [
        message(f"{change.seq} {number}", content={"text": text}, next_at=change.at)
        for number, text in enumerate(mails)
    ]


async def opened(folder: Path) -> Store:
    store = Store(Sqlite(folder / "flownb.db"), KEY, StillClock(), post=post)
    await store.open()
    await store.create(new("one", steps=2), CONTENT)
    return store


def texts(messages: list[Message]) -> list[str]:
    return [one.content["text"] for one in messages]


@in_loop
async def test_messages_come_with_what_they_tell_of_or_not_at_all(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    told: list[bool] = []
    store.listen(lambda change: told.append(change.posted))
    for event in BEGIN:
        await store.apply("one", event)
    await store.apply("one", finished(), mails=["\ud800", "b"])
    with pytest.raises(NotNow):
        await store.apply("one", BEGIN[0], mails=["never"])
    assert told == [False, False, True]
    found = await store.read(partial(outbox.due, now=START, most=10))
    assert texts(found) == ["\ud800", "b"]
    assert {(one.status, one.tries, one.sent_at) for one in found} == {(Status.WAITING, 0, None)}
    await store.close()


@in_loop
async def test_a_message_is_due_until_it_is_marked(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    for event in BEGIN:
        await store.apply("one", event)
    await store.apply("one", finished(), mails=["a", "b", "c"])
    due = partial(outbox.due, now=START, most=2)
    first, second = await store.read(due)
    await store.mark_message(first.key, status=Status.SENT, sent_at=START, next_at=None, tries=1)
    await store.mark_message(second.key, next_at=START + 5, tries=1, error="not now")
    assert texts(await store.read(due)) == ["c"]
    (third,) = await store.read(due)
    await store.mark_message(third.key, status=Status.FAILED, next_at=None)
    assert await store.read(outbox.next_due) == START + 5
    found = await store.read(partial(outbox.get, key=second.key))
    assert found
    assert (found.workflow, found.message.error, found.message.tries) == ("flow", "not now", 1)
    assert await store.read(partial(outbox.get, key="nothing")) is None
    await store.close()


@in_loop
async def test_what_was_sent_is_not_sent_again_though_somebody_asks_in_that_moment(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    for event in BEGIN:
        await store.apply("one", event)
    await store.apply("one", finished(), mails=["a"])
    (found,) = await store.read(partial(outbox.due, now=START, most=2))
    await store.mark_message(found.key, status=Status.SENT, sent_at=START, next_at=None, tries=1)
    await store.mark_message(found.key, status=Status.WAITING, tries=0, next_at=START)
    assert await store.read(partial(outbox.due, now=START, most=2)) == []
    await store.close()


def test_no_channel_waits_for_another(tmp_path: Path) -> None:
    db = open_database(tmp_path / "db", "WAL")
    db.execute("PRAGMA foreign_keys = OFF")
    for number in range(4):
        outbox.put(db, message(f"chat {number}", channel="chat", next_at=START + number))
    outbox.put(db, message("mail", next_at=START + 9))
    outbox.put(db, message("later", next_at=START + 10))
    assert [one.key for one in outbox.due(db, START + 9, 2)] == ["chat 0", "chat 1", "mail"]
    db.close()


def test_a_message_is_put_once_and_found_by_index(tmp_path: Path) -> None:
    db = open_database(tmp_path / "db", "WAL")
    db.execute("PRAGMA foreign_keys = OFF")
    outbox.put(db, message("a", content=1))
    outbox.put(db, message("a", content=2))
    assert [row["content"] for row in db.query("SELECT content FROM outbox")] == ["1"]
    assert [line for line in plans(db, partial(outbox.due, now=START, most=5)) if "INDEX outbox_waiting" in line]
    assert not [line for line in plans(db, outbox.next_due) if "INDEX outbox_waiting" not in line]
    assert not [line for line in plans(db, partial(outbox.page, before=None, limit=5)) if "TEMP B-TREE" in line]
    db.close()
