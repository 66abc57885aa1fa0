"""Speaking with a kernel: cells, and questions to flownb's kernel side."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from flownb import __version__
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.outputs import Outputs
from flownb.bridge.port import AskFailed, Cell, GatewayLost, KernelDied, Ran, Spec, StepTimeout
from flownb.bridge.replies import read_reply
from flownb.bridge.requests import Request, Requests
from flownb.core.jsonvalue import dumps
from flownb.core.model import Error, Json
from flownb.core.reply import CHECKPOINT, EXPRESSION

LAST_OUTPUTS_SECONDS = 4.0
"""IOPub may lose the word that a cell is idle: after its reply we wait for it no longer than this."""

INTERRUPT_SECONDS = 5.0
"""A cell that timed out is given this long to end by an interrupt."""


class Conversed:
    """A cell under way."""

    def __init__(self, kernel: Conversation, cell: Cell) -> None:
        self._kernel = kernel
        self._cell = cell
        self._collected = Outputs()
        self._began = time.monotonic()
        self._ended: float | None = None
        self._over = asyncio.Event()
        self._announced: Json = None
        self._request = kernel.send(cell.source, self._asked(), {"flownb": cell.context}, self._publish)
        self._request.reply.add_done_callback(self._note_end)

    @property
    def outputs(self) -> list[Json]:
        return self._collected.so_far

    @property
    def compute_ms(self) -> int:
        ended = time.monotonic() if self._ended is None else self._ended
        return round((ended - self._began) * 1000)

    def _asked(self) -> dict[str, str]:
        """What is evaluated after the cell, in this order."""
        place = self._cell.checkpoint
        return {EXPRESSION: COLLECT, **({CHECKPOINT: call("checkpoint", "save", *place)} if place else {})}

    def _note_end(self, reply: object) -> None:
        if self._ended is None:
            self._ended = time.monotonic()
        self._over.set()

    def _publish(self, kind: str, content: Any) -> None:
        if kind == "flownb_pause_asked":
            self._cell.on_pause_asked(json.loads(content["call"]))
        elif kind == "flownb_mail_asked":
            self._cell.on_mail_asked(json.loads(content["call"]))
        elif kind == "flownb_responded":
            self._cell.on_responded(json.loads(content["call"]))
        elif kind == "flownb_step_ended":
            self._announced = json.loads(content["call"])
            self._note_end(content)
        else:
            self._collected.take(kind, content)

    async def finished(self) -> Ran:
        timeout = self._cell.timeout
        try:
            await asyncio.wait_for(self._over.wait(), timeout / 1000 if timeout else None)
        except TimeoutError:
            await self._stop()
            raise StepTimeout(f"the step ran longer than its timeout of {timeout} ms") from None
        try:
            reply = await asyncio.shield(self._request.reply)
        except (KernelDied, GatewayLost):
            if self._announced is None:
                raise
            return Ran(self.outputs, None, self._announced, self.compute_ms)  # it died while it saved
        with suppress(TimeoutError):
            await asyncio.wait_for(self._request.idle.wait(), LAST_OUTPUTS_SECONDS)
        self._kernel.forget(self._request)
        if reply["status"] != "ok":
            error = Error(reply["ename"], reply["evalue"], tuple(reply["traceback"]))
            return Ran(self.outputs, error, None, self.compute_ms)
        return Ran(self.outputs, None, read_reply(reply), self.compute_ms)

    def saved(self) -> Json:
        return read_reply(self._request.reply.result(), CHECKPOINT)

    async def _stop(self) -> None:
        """Let the author's own clean-up run, if it comes to an end."""
        await self._kernel.interrupt()
        await asyncio.wait([self._request.reply], timeout=INTERRUPT_SECONDS)


class Conversation(ABC):
    """With one kernel, on channels of our own."""

    def __init__(self, channels: Requests) -> None:
        self._channels = channels

    @abstractmethod
    async def interrupt(self) -> None:
        """Ask the kernel to stop what it runs."""

    def execute(self, cell: Cell) -> Conversed:
        return Conversed(self, cell)

    def send(
        self,
        code: str,
        expressions: dict[str, str],
        metadata: dict[str, Json] | None,
        publish: Any = lambda kind, content: None,
    ) -> Request:
        """Send code, with expressions of ours that are evaluated after it unless it raised.

        Without metadata it is run silently.
        """
        content = {
            "code": code,
            "silent": metadata is None,
            "store_history": metadata is not None,
            "user_expressions": expressions,
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return self._channels.send("execute_request", content, metadata, publish)

    def forget(self, request: Request) -> None:
        self._channels.forget(request)

    async def ask(self, module: str, function: str, *arguments: str) -> Json:
        return await self.evaluate(call(module, function, *arguments))

    async def evaluate(self, expression: str) -> Json:
        request = self.send("", {EXPRESSION: expression}, None)
        reply = await request.reply
        self.forget(request)
        if reply["status"] != "ok":
            raise AskFailed("NotRun", "the cell before it raised")
        return read_reply(reply)

    async def prepare(self, side: KernelSide, spec: Spec, *, elsewhere: bool = False) -> Json:
        """Give a kernel its folder and flownb's kernel side; raises ``KernelStartFailed`` or ``KernelDied``.

        ``elsewhere``, the folder may be missing, and the kernel side is sent. Returns what ``boot.prepare`` says.
        """
        said = {
            "version": __version__,
            "cwd": str(spec.cwd),
            "may_lack_cwd": elsewhere,
            "memory_limit": spec.memory_limit,
            "bind_pd": True,
            "environment": dict(spec.environment),
            "nice": spec.nice,
        }
        expression = call("boot", "prepare", dumps(said))
        if elsewhere:
            return await side.boot_elsewhere(self.evaluate, spec.kernelspec, expression)
        return await side.boot(self.evaluate, spec.kernelspec, expression)


def call(module: str, function: str, *arguments: str) -> str:
    """A Python expression that calls a function of flownb's kernel side, whatever names the author has taken."""
    written = ", ".join(repr(argument) for argument in arguments)
    return f"__import__('flownb.kernel.{module}', fromlist=['{function}']).{function}({written})"


COLLECT = call("step", "collect")
