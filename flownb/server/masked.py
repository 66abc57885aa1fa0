"""A cell on a kernel, of which only that is told which may be: secrets that it was given are masked here, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flownb.bridge import port
from flownb.core.masking import Mask
from flownb.core.model import Error, Json
from flownb.core.told import is_light

LIGHT = 64 * 1024
"""Parts and characters, up to which masking is faster than handing it to a thread."""

_OURS = ("kind", "on_timeout")
"""Under these keys of what a kernel says stand words of ours."""


class Masked:
    """A cell under way, from the moment it is sent."""

    def __init__(self, kernel: port.Talks, cell: port.Cell, mask: Mask) -> None:
        self._mask = mask
        self._final: list[Json] | None = None
        if mask:
            cell = replace(
                cell,
                on_pause_asked=self._hearing(cell.on_pause_asked),
                on_mail_asked=self._hearing(cell.on_mail_asked),
                on_responded=self._hearing(cell.on_responded),
            )
        self._running = kernel.execute(cell)

    @property
    def compute_ms(self) -> int:
        return self._running.compute_ms

    async def outputs(self) -> list[Json]:
        """The outputs so far; while the cell runs, without what may be the beginning of a secret at their end."""
        if self._final is not None:
            return self._final
        found = self._running.outputs
        return found if not self._mask else await self._aside(lambda: self._shown(found, self._mask.held_back), found)

    async def finished(self) -> port.Ran:
        """Raises ``KernelDied`` or ``StepTimeout``."""
        try:
            ran = await self._running.finished()
        except port.KernelError as error:
            self._final = await self._aside(lambda: self._shown(self._running.outputs), self._running.outputs)
            error.args = (self._mask.text(str(error)),)
            raise
        if self._mask:
            ran = await self._aside(lambda: self._veiled(ran), [ran.outputs, ran.collected])
        self._final = ran.outputs
        return ran

    def saved(self) -> Json:
        """What the kernel says of the cell's checkpoint. Raises ``AskFailed`` or ``KernelDied``."""
        try:
            said = self._running.saved()
        except port.KernelError as error:
            error.args = (self._mask.text(str(error)),)
            raise
        return {**said, "variables": [self._variable(one) for one in said["variables"]]}

    def said(self, collected: Json) -> Json:
        """What ``pd`` collected, with words on what was masked of it."""
        exports = {self._mask.text(name): self._mask.json(value) for name, value in collected["exports"].items()}
        hidden = [f"export {name!r}" for name in exports if exports[name] != collected["exports"].get(name)]
        pauses = self._mask.values(collected["pauses"], _OURS)
        if pauses != collected["pauses"]:
            hidden.append("what a pause was given")
        rest = {key: value for key, value in collected.items() if key not in ("exports", "pauses")}
        veiled = {**self._mask.values(rest), "exports": exports, "pauses": pauses}
        if veiled["response"] != collected["response"]:
            hidden.append("the response")
        veiled["warnings"] += [f"{what} held a secret of `pd.inputs`: it is masked there" for what in hidden]
        return veiled

    def _veiled(self, ran: port.Ran) -> port.Ran:
        collected = self.said(ran.collected) if ran.collected is not None else None
        return replace(ran, outputs=self._shown(ran.outputs), error=self._error(ran.error), collected=collected)

    def _error(self, error: Error | None) -> Error | None:
        if error is None:
            return None
        text = self._mask.text
        return Error(text(error.ename), text(error.evalue), tuple(map(text, error.traceback)))

    def _shown(self, outputs: list[Json], ending: Callable[[str], str] = lambda text: text) -> list[Json]:
        shown = [self._mask.output(output) for output in outputs]
        if shown and isinstance(text := shown[-1].get("text"), str):
            shown[-1] = {**shown[-1], "text": ending(text)}
        return shown

    def _variable(self, variable: dict[str, Any]) -> dict[str, Any]:
        reason = variable["reason"]
        return {**variable, "reason": self._mask.text(reason)} if reason else variable

    def _hearing(self, hear: Callable[[Json], None]) -> Callable[[Json], None]:
        return lambda call: hear(self._mask.values(call, _OURS))

    async def _aside(self, work: Callable[[], Any], on: Json) -> Any:
        return work() if is_light(on, LIGHT) else await asyncio.to_thread(work)
