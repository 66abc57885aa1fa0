"""A real kernel, spoken to as the server does it."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from flownb.bridge.forkservers import ForkServers
from flownb.bridge.provisioner import provision
from flownb.core.reply import MIMETYPE
from flownb.kernel.cells import HandRun, begin
from flownb.kernel.step import Step

LINKS = {f"{action}_url": f"http://host/flownb/{action}/s3cret-{action}" for action in ("resume", "cancel", "review")}
COLLECT = "__import__('flownb.kernel.step', fromlist=['collect']).collect()"

NOTHING_ASKED: dict[str, object] = {
    "exports": {},
    "pauses": [],
    "mails": [],
    "response": None,
    "exit": None,
    "warnings": [],
}


def place_of(path: Path) -> str:
    """What a kernel is told of the folder of a checkpoint."""
    return json.dumps({"folder": str(path.parent), "pool": str(path.parent / "pool")})


@dataclass
class Ran:
    """What came of one request: the reply's content, and the outputs in order."""

    reply: dict[str, Any]
    outputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def asked(self) -> dict[str, Any]:
        """The answer to the expression that went along."""
        assert self.reply["status"] == "ok", self.reply
        expression = self.reply["user_expressions"]["flownb"]
        assert expression["status"] == "ok", expression
        answer: dict[str, Any] = json.loads(expression["data"][MIMETYPE])
        return answer

    @property
    def text(self) -> str:
        """All that the cell wrote and displayed, as text."""
        contents = [output["content"] for output in self.outputs]
        return "".join(each.get("text") or each.get("data", {}).get("text/plain", "") for each in contents)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The contents of the messages of one type."""
        return [output["content"] for output in self.outputs if output["msg_type"] == kind]


class Kernel:
    """One kernel with its client; a forked one where fork servers are given."""

    def __init__(self, folder: Path, servers: ForkServers | None = None, preload: Sequence[str] = ()) -> None:
        self.folder = folder
        self._runner = asyncio.Runner()
        self.manager = AsyncKernelManager(kernel_name="python3")
        if servers is not None:
            provision(self.manager, servers, preload)
        self.client: AsyncKernelClient = self._runner.run(self._start())

    def close(self) -> None:
        self.client.stop_channels()
        self._runner.run(self._shut_down())
        self.client.context.term()
        self._runner.close()

    def interrupt(self) -> None:
        assert self.pid is not None
        os.kill(self.pid, signal.SIGINT)

    async def _shut_down(self) -> None:
        await self.manager.shutdown_kernel(now=True)

    async def _start(self) -> AsyncKernelClient:
        arguments, nowhere = ["--HistoryManager.hist_file=:memory:"], os.open(os.devnull, os.O_WRONLY)
        await self.manager.start_kernel(cwd=str(self.folder), extra_arguments=arguments, stderr=nowhere)
        os.close(nowhere)
        self.pid: int | None = getattr(self.manager.provisioner, "pid", None)
        client: AsyncKernelClient = self.manager.client()
        client.session.session = uuid.uuid4().hex
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        return client

    def execute(
        self, code: str, expression: str | None = None, told: dict[str, Any] | None = None, *, silent: bool = False
    ) -> Ran:
        """Runs ``code`` and waits for its reply and its last output."""
        message = self._send(code, expression, told, silent=silent)
        return self._runner.run(self._wait(message))

    def _send(
        self,
        code: str,
        expression: str | None = None,
        told: dict[str, Any] | None = None,
        *,
        silent: bool = False,
        subshell: str | None = None,
    ) -> str:
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {"flownb": expression} if expression else {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        metadata = {} if told is None else {"flownb": json.dumps(told)}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        if subshell:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        msg_id: str = message["header"]["msg_id"]
        return msg_id

    def execute_beside(self, code: str, beside: str) -> tuple[Ran, Ran]:
        """A step, and other code in a subshell while the step runs."""
        return self._runner.run(self._execute_beside(code, beside))

    def step(self, code: str, **told: Any) -> Ran:
        """Runs ``code`` as a step of an execution."""
        return self.execute(code, COLLECT, about_step(**told))

    def prepare(self, **told: Any) -> dict[str, Any]:
        text = json.dumps(
            {
                "version": "0.1.0",
                "cwd": str(self.folder),
                "memory_limit": None,
                "bind_pd": True,
                "environment": {},
                "nice": 0,
                **told,
            }
        )
        return self.ask(f"__import__('flownb.kernel.boot', fromlist=['prepare']).prepare({text!r})")

    def ask(self, expression: str) -> dict[str, Any]:
        """The answer to an expression sent by itself."""
        return self.execute("", expression, silent=True).asked

    def value(self, expression: str) -> str:
        """The text of an expression, evaluated in the author's namespace."""
        answer = self.execute("", expression, silent=True).reply["user_expressions"]["flownb"]
        assert answer["status"] == "ok", answer
        text: str = answer["data"]["text/plain"]
        return text

    def save(self, path: Path) -> dict[str, Any]:
        return self.ask(
            f"__import__('flownb.kernel.snapshot', fromlist=['save']).save({place_of(path)!r}, {path.name!r})"
        )

    def load(self, path: Path, digest: str) -> dict[str, Any]:
        """The expression's raw answer, which may be an error."""
        arguments = f"{place_of(path)!r}, {path.name!r}, {digest!r}"
        call = f"__import__('flownb.kernel.snapshot', fromlist=['load']).load({arguments})"
        answer: dict[str, Any] = self.execute("", call, silent=True).reply["user_expressions"]["flownb"]
        return answer

    async def _execute_beside(self, code: str, beside: str) -> tuple[Ran, Ran]:
        self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
        created = await self.client.get_control_msg(timeout=10)
        step = self._send(code, COLLECT, about_step())
        other = self._send(beside, subshell=created["content"]["subshell_id"])
        second = await self._wait(other)
        return await self._wait(step), second

    async def _wait(self, msg_id: str) -> Ran:
        reply = await self.client.get_shell_msg(timeout=60)
        while reply["parent_header"]["msg_id"] != msg_id:  # where it was slow to start, it was asked more than once
            reply = await self.client.get_shell_msg(timeout=60)
        ran = Ran(reply["content"])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                message = await self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return ran
            if message["msg_type"] not in ("status", "execute_input"):
                ran.outputs.append(message)
        raise TimeoutError("no idle")


def about_step(**told: Any) -> dict[str, Any]:
    """What the server tells a step, in its message's metadata."""
    return {
        "mode": "step",
        "step": "code",
        "links": LINKS,
        "steps": {"trigger": {"event": {"body": None}, "context": {}}},
        "context": {"id": "1", "trace_id": "x", "test": False, "run": {"runs": 1, "context": None}},
        "parameters": None,
        "max_export_bytes": 10_000,
    } | told


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel made ready for an execution, shared by the tests of a module."""
    kernel = Kernel(tmp_path_factory.mktemp("notebooks"))
    kernel.prepare()
    yield kernel
    kernel.close()


@pytest.fixture
def new_kernel(tmp_path: Path) -> Iterator[Callable[[], Kernel]]:
    """Makes kernels that nothing was done to yet."""
    kernels: list[Kernel] = []

    def start() -> Kernel:
        kernels.append(Kernel(tmp_path))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.close()


@pytest.fixture
def step() -> Iterator[Step]:
    """A step that runs in this process, without a kernel."""
    step = Step(about_step(), announce=lambda what, call: None)
    begin(step)
    yield step
    begin(HandRun())
