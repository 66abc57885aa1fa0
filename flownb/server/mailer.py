"""Sends what is in the outbox: one task, each message tried until it is sent or given up."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

from flownb import faults
from flownb.core.durations import HOUR, MINUTE, SECOND
from flownb.core.model import Retry
from flownb.server.clock import Clock
from flownb.server.letters import Letters
from flownb.server.observing.logs import about
from flownb.server.sending import NotSent
from flownb.store import outbox
from flownb.store.outbox import Message, Status
from flownb.store.store import Change, Store
from flownb.store.writer import Fenced, StoreError

TRIES = Retry(max=29, first=30 * SECOND, limit=HOUR)
"""After 30 tries, in about a day, a message is given up."""

AT_ONCE = 20
"""Messages of a service between two looks at the outbox."""

LAST_SECONDS = 3.0
"""What is being sent when the server stops is given so long to come to an end, so that it is not sent again."""


class Mailer:
    """Follows the outbox; what is to be sent is worked out from it each time, so a restart goes on where it broke off.

    Services are served side by side, the messages of each one after the other.
    """

    def __init__(
        self, store: Store, letters: Letters, clock: Clock, log: logging.Logger | logging.LoggerAdapter[Any]
    ) -> None:
        self._store = store
        self._letters = letters
        self._clock = clock
        self._log = log
        self._some = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._idle = False
        self._stopping = False

    @property
    def busy(self) -> bool:
        """Whether there is something to be sent, now or later."""
        return not self._idle or self._some.is_set()

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        if change.posted:
            self._some.set()

    async def send_again(self, key: str) -> None:
        """Try a message anew, at once, as often as a new one."""
        now = self._clock.now()
        await self._store.mark_message(key, status=Status.WAITING, tries=0, next_at=now, error=None)
        self._some.set()

    async def run(self) -> None:
        """Run until cancelled; raises ``Fenced`` where another server has taken over."""
        try:
            while True:
                self._some.clear()
                self._idle = False
                try:
                    await self._send(await self._store.read(partial(outbox.due, now=self._clock.now(), most=AT_ONCE)))
                    until = await self._store.read(outbox.next_due)
                except Fenced:
                    raise
                except StoreError as error:
                    self._log.error("flownb: the outbox waits for the store: %s", error)
                    until = self._clock.now() + SECOND
                except Exception:  # an error of our own does not end the sending of mail
                    self._log.exception("flownb: the outbox is tried again after an error of its own")
                    until = self._clock.now() + MINUTE
                self._idle = until is None
                await self._clock.sleep(until, self._some)
        finally:
            self._stopping = True
            if self._sending:
                await asyncio.wait(self._sending, timeout=LAST_SECONDS)
            for task in self._sending:
                task.cancel()

    async def _send(self, messages: Iterable[Message]) -> None:
        by_channel: dict[str, list[Message]] = defaultdict(list)
        for message in messages:
            by_channel[message.channel].append(message)
        for of_one in by_channel.values():
            task = asyncio.create_task(self._send_each(of_one))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        sent, _ = await asyncio.wait(self._sending) if self._sending else (set(), set())
        for task in sent:
            task.result()

    async def _send_each(self, messages: list[Message]) -> None:
        for message in messages:
            if not self._stopping:
                faults.point("message.send")
                became = await self._sent(message)
                await self._note(message, became)
                if became["status"] is Status.WAITING:
                    return  # the service is out of order: the others are not to wait while it is tried again and again

    async def _sent(self, message: Message) -> dict[str, Any]:
        """Send a message, and say what the record is to hold of that."""
        tries, now = message.tries + 1, self._clock.now()
        try:
            refused = await asyncio.to_thread(self._hand_over, message)
        except NotSent as error:
            given_up = error.status is Status.WAITING and tries > TRIES.max
            status = Status.FAILED if given_up else error.status
            next_at = now + TRIES.wait(tries) if status is Status.WAITING else None
            self._log.warning(
                "flownb: a message of execution %s was not sent: %s",
                message.execution,
                error,
                extra=about(message.execution),
            )
            return {"status": status, "tries": tries, "next_at": next_at, "error": str(error)}
        faults.point("message.sent")
        return {"status": Status.SENT, "tries": tries, "next_at": None, "sent_at": now, "error": refused}

    def _hand_over(self, message: Message) -> str | None:
        try:
            return self._letters.send(message)
        except NotSent:
            raise
        except Exception as error:  # whatever a service's code raises; its text may hold the service's URL
            raise NotSent(f"sending failed with {type(error).__name__}") from None

    async def _note(self, message: Message, became: dict[str, Any]) -> None:
        """On disk, however long the disk refuses: a message that is not noted as sent would be sent again."""
        while True:
            try:
                await self._store.mark_message(message.key, **became)
                return
            except Fenced:
                raise
            except StoreError as error:
                self._log.error("flownb: the outbox waits for the store: %s", error)
                await asyncio.sleep(1.0)
