"""What the console's forms do; each answers with the page to load next."""

from __future__ import annotations

import json

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.durations import duration
from flownb.core.errors import InvalidValue
from flownb.core.fields import fields, parse
from flownb.core.forms import complaints
from flownb.core.jsonvalue import to_json
from flownb.core.model import Action, Attempt, Execution, Json
from flownb.core.transitions import live_pause
from flownb.server.api_decide import meant
from flownb.server.console.execution import ShowsExecution
from flownb.server.console.handler import ConsoleHandler
from flownb.server.console.words import Notice
from flownb.server.reviews import POSTPONE, WRONG, Sent


class DecideHandler(ShowsExecution):
    """Approve, cancel or put off; without a pause's id, cancel whatever the execution does."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        sent = self.sent()
        attempt = meant({"pause": self.get_body_argument("pause", None)})
        signed = self.signature({"by": sent.by, "comment": sent.comment.replace("\r\n", "\n")})
        if sent.act == POSTPONE:
            told, after = await self.postpone(execution_id, duration(sent.later, "later"), attempt, signed)
        elif sent.act in (Action.RESUME, Action.CANCEL):
            execution = await self.active.store.get(execution_id)
            data, errors = _data(execution, attempt, sent)
            if errors:
                await self.show_execution(execution, 422, sent, errors, Notice(WRONG, good=False))
                return
            told, after = await self.request_one(execution_id, Action(sent.act), attempt, data, signed)
        else:
            raise InvalidValue("the form asks for nothing that is known here")
        if told.code == 422:
            await self.show_execution(after, 422, sent, told.errors, Notice(WRONG, good=False))
        else:
            self.go(self.url("executions", execution_id, said=told.status))


def _data(execution: Execution, attempt: Attempt | None, sent: Sent) -> tuple[Json, dict[str, str]]:
    """What the fields of the pause's form hold, and what is wrong with it; nothing where another pause is meant."""
    pause = live_pause(execution)
    if sent.act != Action.RESUME or pause is None or pause.asks is None or pause.of != attempt:
        return None, {}
    data, errors = parse(fields(pause.asks), sent.texts or {})
    return data, {**complaints(pause.asks, data), **errors}


class ReplayHandler(ConsoleHandler):
    """A new execution from a step on."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        step = self.get_body_argument("step", "") or None
        latest = self.get_body_argument("version", "same") == "latest"
        new = await self.active.replays.replay(execution_id, step, latest=latest, force=False)
        self.go(self.url("executions", new.id, said="replayed"))


class OpenHandler(ConsoleHandler):
    """A live kernel with the execution's variables, in JupyterLab."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        step = self.get_body_argument("step", "") or None
        opened = await self.active.openings.open(execution_id, step)
        self.go(self.notebook_url(opened.path))


def data_in(handler: ConsoleHandler) -> Json:
    """What a form has to start something with; raises ``InvalidValue``."""
    said = handler.get_body_argument("data", "").strip()
    try:
        return to_json(json.loads(said), "the data") if said else None
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"the data is not JSON: {error}") from None


class StartHandler(ConsoleHandler):
    """A new execution of a notebook."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        trigger = {"type": "console", "event": {"body": data_in(self)}, **self.starter()}
        execution = await self._service.submit(self.get_body_argument("notebook"), trigger)
        self.go(self.url("executions", execution.id, said="started"))
