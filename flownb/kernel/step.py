"""A step of an execution: what it asks for while it runs, collected at its end with the reply to its cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.jsonvalue import dumps, sized, to_json
from flownb.core.model import Response
from flownb.core.responses import plain
from flownb.kernel.cells import Keeper, running
from flownb.kernel.inputs import Inputs
from flownb.kernel.links import Links, WaitLinks, reveals
from flownb.kernel.memory import BY_HAND
from flownb.kernel.record import Context, Steps
from flownb.kernel.remote import Remote
from flownb.kernel.reply import Reply

RETURNED = "$return_value"


class Step:
    """A step of an execution: collects what the author's code asks for until the cell is over."""

    def __init__(self, told: Mapping[str, Any], announce: Callable[[str, dict[str, object]], None]) -> None:
        self.name: str = told["step"]
        self.steps = Steps(told["steps"])
        self.context = Context(told["context"])
        self.inputs = Inputs.told(told.get("inputs") or {})
        self.data: Keeper = Remote(told["data"]) if told.get("data") else BY_HAND
        self.parameters: dict[str, object] = told["parameters"] or {}
        self.pauses: list[dict[str, object]] = []
        self.mails: list[dict[str, object]] = []
        self.exports: dict[str, object] = {}
        self.response: dict[str, object] | None = None
        self.leaving: dict[str, object] | None = None
        self.warnings: list[str] = []
        self.over = False
        self._links = Links(**told["links"])
        self.most_bytes: int = told["max_export_bytes"]
        self._announce = announce

    def pause(self, call: dict[str, object]) -> Links:
        self._still_running()
        self.pauses.append(call)
        self._announce("pause_asked", call)
        return self._links

    def mail(self, mail: dict[str, object]) -> None:
        self._still_running()
        sized(mail, "the mail", self.most_bytes)
        self.mails.append(mail)
        self._announce("mail_asked", mail)

    def respond(self, response: Response) -> None:
        self._still_running()
        said = plain(response)
        sized(said, "the response", self.most_bytes)
        if self.response is not None:
            self.warnings.append(f"step {self.name!r} called pd.respond more than once: the first answer stands")
            return
        self.response = said
        if response.due:
            self._announce("responded", said)

    def announce_end(self) -> None:
        self._announce("step_ended", collect().content)

    def exit(self, reason: str | None) -> None:
        self._still_running()
        self.leaving = {"reason": reason}

    def export(self, name: str, value: object) -> None:
        self._still_running()
        copy = sized(value, name, self.most_bytes)
        if self._secret(copy):
            raise InvalidValue(f"{name} holds a link of this step: links are secrets and are not exported")
        self.exports[name] = copy

    def returned(self, value: object) -> object:
        if value is None:
            return None
        if self._secret(to_json(value, "return value")):
            self.warnings.append("the return value holds a link of this step: it is a secret and was not exported")
            return value
        self.exports[RETURNED] = sized(value, "return value", self.most_bytes)
        return self.exports[RETURNED]

    def shown(self, value: object) -> None:
        """Exports the value that the cell displays at its end, where it is JSON."""
        if RETURNED in self.exports or value is None or isinstance(value, Links | WaitLinks):
            return
        try:
            copy = to_json(value, "last value")
        except InvalidValue:
            return
        if self._secret(copy):
            self.warnings.append("the last value holds a link of this step: it is a secret and was not exported")
        elif len(dumps(copy)) > self.most_bytes:
            self.warnings.append(f"the last value is larger than {self.most_bytes:,} bytes and was not exported")
        else:
            self.exports[RETURNED] = copy

    def _secret(self, value: object) -> bool:
        key = self.data.key if isinstance(self.data, Remote) else None
        text = dumps(value)
        return reveals(text, self._links) or (key is not None and key in text)

    def _still_running(self) -> None:
        if self.over:
            raise FlowNBError(f"no step is running: step {self.name!r}, which made this call, has ended")


class SetupCell(Step):
    """A cell tagged ``setup``: it prepares a kernel, maybe many times, and so has no say in the flow."""

    def pause(self, call: dict[str, object]) -> Links:
        raise FlowNBError(f"cell {self.name!r}: setup cells may not call pd.flow")

    def exit(self, reason: str | None) -> None:
        raise FlowNBError(f"cell {self.name!r}: setup cells may not call pd.flow")

    def mail(self, mail: dict[str, object]) -> None:
        raise FlowNBError(f"cell {self.name!r}: setup cells may not send mail")

    def respond(self, response: Response) -> None:
        raise FlowNBError(f"cell {self.name!r}: setup cells may not call pd.respond")

    def export(self, name: str, value: object) -> None:
        raise FlowNBError(f"cell {self.name!r}: setup cells may not export")

    def shown(self, value: object) -> None:
        pass


def collect() -> Reply:
    """Exports, pauses and mails in their order, response, exit and warnings of the step or setup cell that just ended.

    Which pause wins is for the server to decide. Raises ``FlowNBError`` where the last cell was none of an execution.
    """
    cell = running()
    if not isinstance(cell, Step):
        raise FlowNBError("the cell that ran last is not part of an execution")
    return Reply(
        exports=cell.exports,
        pauses=cell.pauses,
        mails=cell.mails,
        response=cell.response,
        exit=cell.leaving,
        warnings=cell.warnings,
    )


def announce_end() -> None:
    """Tells the server what ``collect`` says, ahead of the reply; lost, it learns of it with that."""
    cell = running()
    if isinstance(cell, Step):
        cell.announce_end()
