"""Pythons that kernels run on, or are to run on, and processes of theirs that answer one question."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from string import Template
from tempfile import TemporaryDirectory

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import KernelManager

from flownb.core.errors import InvalidValue

SECONDS = 120.0
"""The longest that an answer may take."""

VERSION = "import platform; print(platform.python_version())"
LAST_WORDS = 300


class NoAnswer(InvalidValue):
    """A Python that cannot be started, or ended without an answer; the message says how."""

    reason = "no_interpreter"


@dataclass(frozen=True)
class Interpreter:
    """What is put before the arguments of Python, and the environment variables that are set for it."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    async def version(self) -> str:
        """As in ``3.11.7``; raises ``NoAnswer``."""
        return await self.answer("-c", VERSION)

    async def answer(self, *arguments: str) -> str:
        """The last line that a process prints; it, all it started, and the folder it was in are gone then.

        Raises ``NoAnswer``.
        """
        with TemporaryDirectory(prefix="flownb-", ignore_cleanup_errors=True) as folder:
            return await self._answer(folder, arguments)

    async def _answer(self, folder: str, arguments: Sequence[str]) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                *arguments,
                cwd=folder,
                env={**os.environ, **self.environment, "IPYTHONDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NoAnswer(f"{self.command[0]} cannot be started: {error}") from None
        try:
            said, complained = await asyncio.wait_for(process.communicate(), SECONDS)
        except TimeoutError:
            raise NoAnswer(f"{self.command[0]} did not answer within {SECONDS:.0f} s") from None
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        lines = said.decode(errors="replace").splitlines()
        if process.returncode != 0 or not lines:
            words = complained.decode(errors="replace").strip()[-LAST_WORDS:]
            raise NoAnswer(f"{self.command[0]} ended with status {process.returncode}: {words or 'no word'}")
        return lines[-1]


def of_kernelspec(name: str, kernelspecs: KernelSpecManager) -> Interpreter:
    """The Python that kernels of that kernelspec run on; raises ``NoAnswer``."""
    manager = KernelManager(kernel_name=name, kernel_spec_manager=kernelspecs)
    try:
        command, spec = manager.format_kernel_cmd(), kernelspecs.get_kernel_spec(name)
    except NoSuchKernel:
        raise NoAnswer(f"there is no kernelspec {name!r} any more") from None
    if "-m" not in command:
        raise NoAnswer(f"the kernelspec {name!r} does not say `python -m`: name its interpreter with --python")
    environment = {key: Template(value).safe_substitute(os.environ) for key, value in spec.env.items()}
    return Interpreter(command[: command.index("-m")], environment)
