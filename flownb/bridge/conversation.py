"""Speaking with a kernel: cells, and questions to flownb's kernel side."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from jupyter_client.manager import KernelManager

from flownb import __version__
from flownb.bridge.channels import Channels, Request
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.outputs import Outputs
from flownb.bridge.port import AskFailed, Cell, Ran, Spec, StepTimeout
from flownb.bridge.replies import read_reply
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
        self._request = kernel.send(cell.source, COLLECT, self._told(), self._publish)
        self._request.reply.add_done_callback(self._note_end)

    @property
    def outputs(self) -> list[Json]:
        return self._collected.so_far

    @property
    def compute_ms(self) -> int:
        ended = time.monotonic() if self._ended is None else self._ended
        return round((ended - self._began) * 1000)

    def _told(self) -> dict[str, Json]:
        """The metadata of the request."""
        return {"flownb": self._cell.context, **({CHECKPOINT: self._cell.checkpoint} if self._cell.checkpoint else {})}

    def _note_end(self, reply: asyncio.Future[Any]) -> None:
        self._ended = time.monotonic()

    def _publish(self, kind: str, content: Any) -> None:
        if kind == "flownb_pause_asked":
            self._cell.on_pause_asked(json.loads(content["call"]))
        elif kind == "flownb_mail_asked":
            self._cell.on_mail_asked(json.loads(content["call"]))
        else:
            self._collected.take(kind, content)

    async def finished(self) -> Ran:
        timeout = self._cell.timeout
        done, _ = await asyncio.wait([self._request.reply], timeout=timeout / 1000 if timeout else None)
        if not done:
            await self._stop()
            raise StepTimeout(f"the step ran longer than its timeout of {timeout} ms")
        reply = self._request.reply.result()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._request.idle.wait(), LAST_OUTPUTS_SECONDS)
        if self._cell.checkpoint is None or reply["status"] != "ok":
            self._kernel.forget(self._request)
        if reply["status"] != "ok":
            error = Error(reply["ename"], reply["evalue"], tuple(reply["traceback"]))
            return Ran(self.outputs, error, None, self.compute_ms)
        return Ran(self.outputs, None, read_reply(reply), self.compute_ms)

    async def saved(self) -> Json:
        said = await self._request.checkpoint
        self._kernel.forget(self._request)
        if said["status"] != "ok":
            raise AskFailed(said["ename"], said["evalue"])
        return json.loads(said["reply"])

    async def _stop(self) -> None:
        """Let the author's own clean-up run, if it comes to an end."""
        await self._kernel.interrupt()
        await asyncio.wait([self._request.reply], timeout=INTERRUPT_SECONDS)


class Conversation(ABC):
    """With one kernel, on channels of our own."""

    def __init__(self, manager: KernelManager) -> None:
        self._channels = Channels(manager)

    @abstractmethod
    async def interrupt(self) -> None:
        """Ask the kernel to stop what it runs."""

    def execute(self, cell: Cell) -> Conversed:
        return Conversed(self, cell)

    def send(
        self,
        code: str,
        expression: str,
        metadata: dict[str, Json] | None,
        publish: Any = lambda kind, content: None,
    ) -> Request:
        """Send code, with an expression of ours that is evaluated after it unless it raised.

        Without metadata it is run silently.
        """
        content = {
            "code": code,
            "silent": metadata is None,
            "store_history": metadata is not None,
            "user_expressions": {EXPRESSION: expression},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return self._channels.send("execute_request", content, metadata, publish)

    def forget(self, request: Request) -> None:
        self._channels.forget(request)

    async def ask(self, module: str, function: str, *arguments: str) -> Json:
        return await self.evaluate(call(module, function, *arguments))

    async def evaluate(self, expression: str) -> Json:
        request = self.send("", expression, None)
        reply = await request.reply
        self.forget(request)
        if reply["status"] != "ok":
            raise AskFailed("NotRun", "the cell before it raised")
        return read_reply(reply)

    async def prepare(self, side: KernelSide, spec: Spec) -> None:
        """Give a kernel its folder and flownb's kernel side; raises ``KernelStartFailed`` or ``KernelDied``."""
        said = {
            "version": __version__,
            "cwd": str(spec.cwd),
            "memory_limit": spec.memory_limit,
            "bind_pd": True,
            "environment": dict(spec.environment),
            "nice": spec.nice,
        }
        await side.boot(self.evaluate, spec.kernelspec, call("boot", "prepare", dumps(said)))


def call(module: str, function: str, *arguments: str) -> str:
    """A Python expression that calls a function of flownb's kernel side, whatever names the author has taken."""
    written = ", ".join(repr(argument) for argument in arguments)
    return f"__import__('flownb.kernel.{module}', fromlist=['{function}']).{function}({written})"


COLLECT = call("step", "collect")
