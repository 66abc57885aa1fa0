"""The page on which somebody decides: what it shows, what its form sends, and what comes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs

from markupsafe import Markup
from tornado import httputil

from flownb.core import durations, events
from flownb.core.errors import InvalidValue
from flownb.core.fields import Field, fields, initial, parse, placed
from flownb.core.forms import complaints
from flownb.core.links import branch_token, tokens
from flownb.core.model import Action, Attempt, Execution, Json, Pause, PauseKind, Signature
from flownb.core.payload import mask
from flownb.core.times import iso
from flownb.core.transitions import Answer, undecided
from flownb.core.words import in_words, otherwise, run_counter
from flownb.server.api_decide import LONGEST_COMMENT, LONGEST_NAME, signature
from flownb.server.body import resume_data
from flownb.server.choices import Asked, asked
from flownb.server.nonces import is_current, nonce
from flownb.server.pages import Page, Pages
from flownb.server.service import Active
from flownb.server.shown import Shown, shown
from flownb.store import aggregate
from flownb.store.queries import Link

POSTPONE = "postpone"
LATER = {"1h": "1 hour", "4h": "4 hours", "1d": "1 day", "3d": "3 days", "7d": "1 week"}
DATA = "data."
"""Before the names of the form's own fields, so that none is taken for one of the page's."""

STALE = "This page is no longer up to date, so nothing was decided. This is how it stands now: please decide again."
CHANGED = "What is shown here has changed since you opened this page, so nothing was decided. Please look again."
WRONG = "Please correct what is marked below. Nothing was decided."
PUT_OFF = "The deadline was put off."


@dataclass(frozen=True)
class Sent:
    """What a form of the page sends; ``texts`` by the names of the pause's own fields."""

    act: str = ""
    nonce: str = ""
    shown: str = ""
    by: str = ""
    comment: str = ""
    later: str = "1d"
    texts: Mapping[str, list[str]] | None = None

    @classmethod
    def read(cls, body: bytes) -> Sent:
        """Raises ``ValueError`` for more fields than any form has."""
        said = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=1000)
        own = {name: said[name][-1] for name in ("act", "nonce", "shown", "by", "comment", "later") if name in said}
        texts = {name.removeprefix(DATA): given for name, given in said.items() if name.startswith(DATA)}
        return cls(**own, texts=texts)


@dataclass(frozen=True)
class Notice:
    """What is wrong with what was sent, or what came of it; ``errors`` by field."""

    text: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What the page shows, with its status code, or the answer of the rules to what its form has sent."""

    code: int
    page: Page | None = None
    answer: Answer | None = None
    after: Execution | None = None


class Review:
    """The page of one pause, for one request."""

    def __init__(self, active: Active, pages: Pages, link: Link) -> None:
        self._active = active
        self._pages = pages
        self._link = link
        self._key = active.links.key.secret
        self._tokens = tokens(self._key, link.execution, link.attempt)

    async def look(self) -> tuple[Execution, Pause | None]:
        """How it stands."""
        link, store = self._link, self._active.store
        pause = await store.read(partial(aggregate.load_pause, execution_id=link.execution, of=link.attempt))
        return await store.get(link.execution), pause

    async def show(self, code: int = 200, notice: Notice | None = None, sent: Sent | None = None) -> Reply:
        """The page as it stands now, with what was typed before."""
        execution, pause = await self.look()
        if not undecided(execution, pause, self._link.attempt):
            return Reply(200, self._pages.ended(execution, pause))
        seen = await shown(self._active, execution, pause, self._link.attempt)
        return Reply(code, self._page(execution, pause, seen, notice or Notice(), sent or Sent()))

    async def decide(self, request: httputil.HTTPServerRequest, body: bytes, now: int) -> Reply:
        """What comes of a form that was sent. Nothing, but for words, where it is not of this page as it is now."""
        try:
            sent = Sent.read(body)
        except ValueError:
            return await self.show(403, Notice(STALE))
        if sent.act not in (Action.RESUME, Action.CANCEL, POSTPONE):
            return await self.show(403, Notice(STALE), sent)
        execution, pause = await self.look()
        data: Json = None
        if undecided(execution, pause, self._link.attempt):
            if not self._is_current(sent, pause):
                return await self.show(403, Notice(STALE), sent)
            if sent.shown != (await shown(self._active, execution, pause, self._link.attempt)).digest:
                return await self.show(409, Notice(CHANGED), sent)
            data, errors = self._data(pause, sent)
            if errors:
                return await self.show(422, Notice(WRONG, errors), sent)
        try:
            signed = self._signed(sent, request.remote_ip)
            event = self._event(sent, pause, resume_data(request, data, now, self._tokens.values()), signed, now)
        except InvalidValue as error:
            return await self.show(422, Notice(f"Nothing was decided: {error}."), sent)
        answer, after = await self._active.store.request(self._link.execution, event)
        if answer.code == 422:
            return await self.show(422, Notice(WRONG, answer.errors), sent)
        return Reply(answer.code, answer=answer, after=after)

    def _is_current(self, sent: Sent, pause: Pause | None) -> bool:
        return is_current(sent.nonce, self._key, *self._link_of(), _deadline(pause), sent.shown)

    def _asked(self, pause: Pause | None) -> Asked:
        return asked(pause, self._link, self._tokens[Action.REVIEW])

    def _own(self) -> str:
        """The secret of this very page."""
        secret, branch = self._tokens[Action.REVIEW], self._link.branch
        return branch_token(secret, branch) if branch is not None else secret

    def _link_of(self) -> tuple[str, Attempt]:
        return self._link.execution, self._link.attempt

    def _data(self, pause: Pause | None, sent: Sent) -> tuple[Json, Mapping[str, str]]:
        """What the form's fields hold, and what is wrong with it, by field."""
        form = self._asked(pause).form
        if sent.act != Action.RESUME or form is None:
            return None, {}
        data, errors = parse(fields(form), sent.texts or {})
        return data, {**complaints(form, data), **errors}

    def _signed(self, sent: Sent, ip: str | None) -> Signature:
        said = {"by": sent.by, "comment": sent.comment.replace("\r\n", "\n"), "shown": sent.shown}
        return signature(mask(said, self._tokens.values()), None, "page", ip)

    def _event(
        self, sent: Sent, pause: Pause | None, request: Json, signed: Signature, now: int
    ) -> events.RequestArrived | events.Postponed:
        if sent.act != POSTPONE:
            of, branch = self._link.attempt, self._link.branch
            return events.RequestArrived(Action(sent.act), request, of, signature=signed, branch=branch)
        until = (_deadline(pause) or now) + durations.duration(sent.later, "later")
        return events.Postponed(until, self._link.attempt, signature=signed)

    def _page(self, execution: Execution, pause: Pause | None, seen: Shown, notice: Notice, sent: Sent) -> Page:
        asks = self._asked(pause)
        shown_fields = fields(asks.form) if asks.form is not None and asks.may else ()
        complaint = placed(shown_fields, notice.errors)
        link = self._link
        counted = {"max_retries": pause.max_retries if pause else None, "runs": link.attempt.run}
        deadline = (pause.kind, pause.on_timeout, iso(pause.wakes_at)) if pause else (None, "", None)
        return self._pages.render(
            "review.html",
            # Relative, so that the form works under whatever address the page was reached by.
            action=f"../review/{self._own()}",
            workflow=execution.workflow,
            notebook=execution.notebook,
            execution=execution.id,
            started=f"{in_words(iso(execution.created_at) or '')}, {_started(execution)}",
            step=link.attempt.step,
            counter=run_counter(counted),
            reason=asks.reason,
            choices=asks.choices,
            approvals=asks.approvals,
            may=asks.may,
            since=in_words(iso(pause.since) or "") if pause else None,
            otherwise=otherwise(*deadline),
            outputs=Markup(seen.html),  # noqa: S704 - rendered and sanitised
            notice=notice.text,
            put_off=PUT_OFF,
            complaint=complaint.get("") if "" not in (one.name for one in shown_fields) else None,
            fields=filled(shown_fields, complaint, sent.texts),
            by=sent.by or (link.branch if asks.approvals else None) or "",
            comment=sent.comment,
            later=LATER if pause is not None and pause.kind is PauseKind.SUSPEND else {},
            chosen=sent.later,
            longest={"by": LONGEST_NAME, "comment": LONGEST_COMMENT},
            shown=seen.digest,
            given=nonce(self._key, *self._link_of(), _deadline(pause), seen.digest),
        )


@dataclass(frozen=True)
class Filled:
    """A field of the pause's form with what stands in it, and what is wrong with that."""

    name: str
    asks: Field
    texts: list[str]
    error: str


def filled(
    asked: tuple[Field, ...], complaint: Mapping[str, str], typed: Mapping[str, list[str]] | None
) -> list[Filled]:
    """The fields with what was typed in them, None where nobody has typed yet."""
    texts = initial(asked) if typed is None else typed
    return [Filled(DATA + one.name, one, list(texts.get(one.name, [])), complaint.get(one.name, "")) for one in asked]


def _deadline(pause: Pause | None) -> int | None:
    return pause.wakes_at if pause else None


def _started(execution: Execution) -> str:
    kind = execution.trigger["type"]
    return {"api": "through the API", "console": "in the console"}.get(kind, f"by {kind}")
