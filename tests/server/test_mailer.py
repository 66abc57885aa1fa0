"""The task that sends what is in the outbox, on a real store and a port where no mail server is."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from flownb.server.clock import Clock
from flownb.server.context import Links
from flownb.server.letters import Letters
from flownb.server.mailer import Mailer
from flownb.server.notifier import Notifier
from flownb.server.smtp import Smtp
from flownb.store.sqlite import Sqlite
from flownb.store.store import Store
from flownb.testing.server import free_port
from tests.store.stored import BEGIN, CONTENT, KEY, finished, new
from tests.support.asyncio import in_loop

MAIL: dict[str, Any] = {"subject": "a", "text": "", "html": None, "to": []}


class Told(Clock):
    """Tells when somebody goes to sleep, and until when."""

    def __init__(self) -> None:
        self.sleeps: asyncio.Queue[int | None] = asyncio.Queue()

    async def sleep(self, until: int | None, woken: asyncio.Event) -> None:
        self.sleeps.put_nowait(until)
        await super().sleep(until, woken)


@in_loop
async def test_a_server_is_busy_as_long_as_a_mail_waits_for_another_try(tmp_path: Path) -> None:
    smtp = Smtp("127.0.0.1", free_port(), "none", owner="owner@example.org")
    letters = Letters(Links(KEY, "http://localhost/flownb/"), smtp, Notifier([], KEY))
    clock = Told()
    store = Store(Sqlite(tmp_path / "flownb.db"), KEY, clock, post=letters)
    await store.open()
    mailer = Mailer(store, letters, clock, logging.getLogger("flownb"))
    store.listen(mailer.hear)
    await store.create(new("one"), CONTENT)
    for event in BEGIN:
        await store.apply("one", event)
    busy = [mailer.busy]
    sending = asyncio.create_task(mailer.run())
    sleeps = [await clock.sleeps.get()]
    busy.append(mailer.busy)
    await store.apply("one", finished(), mails=[MAIL])
    busy.append(mailer.busy)
    sleeps.append(await clock.sleeps.get())
    busy.append(mailer.busy)
    assert busy == [True, False, True, True]
    assert sleeps[0] is None
    assert sleeps[1] is not None, "until the next try"
    sending.cancel()
    await asyncio.wait([sending])
    await store.close()
