"""One execution, as a test looks at it and drives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from flownb.client import FINAL
from flownb.testing.server import PATIENCE
from flownb.testing.steps import Steps, text_of
from flownb.testing.story import story
from flownb.testing.timeline import Timeline, milliseconds

Execution = dict[str, Any]


class Run:
    """An execution. What is read of it is how it stands at that moment; what waits for it fails with its story."""

    def __init__(self, execution_id: str, timeline: Timeline) -> None:
        self.id = execution_id
        self._timeline = timeline
        self._server = timeline.server
        timeline.timed.append(self)

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.status}>"

    @property
    def execution(self) -> Execution:
        """All of it, as the REST API shows it."""
        return self._server.look(self.id)

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``suspended``, ``succeeded``, ``failed`` or ``cancelled``."""
        return str(self.execution["status"])

    @property
    def steps(self) -> Steps:
        """The steps by name, in notebook order, with what each returned, exported and showed."""
        return Steps(self.execution, self.notebook)

    @property
    def notebook(self) -> dict[str, Any]:
        """The executed notebook so far."""
        return self._server.client.notebook(self.id)

    @property
    def text(self) -> str:
        """What all cells printed and showed, as text."""
        return "".join(text_of(output) for cell in self.notebook["cells"] for output in cell.get("outputs", ()))

    @property
    def warnings(self) -> list[str]:
        """What its record warns of."""
        return list(self.execution["warnings"])

    @property
    def mails(self) -> list[dict[str, Any]]:
        """The mails of its steps, oldest first: ``to``, ``subject``, ``text``, ``html``; none has left the machine."""
        sent = self._server.client.outbox()
        return [one for one in reversed(sent) if one["execution"] == self.id and one["channel"] == "mail"]

    @property
    def waiting(self) -> dict[str, Any]:
        """The pause in which it waits, as the REST API shows it; fails where it does not wait."""
        __tracebackhide__ = True
        found = self.execution
        self._demand(found["waiting"] is not None, "it waits", found)
        return dict(found["waiting"])

    @property
    def resume_url(self) -> str:
        """The link that ends the pause in which it waits."""
        return str(self.waiting["resume_url"])

    @property
    def cancel_url(self) -> str:
        """The link that ends the pause in which it waits, and the execution with it."""
        return str(self.waiting["cancel_url"])

    @property
    def review_url(self) -> str:
        """The page for people of the pause in which it waits."""
        return str(self.waiting["review_url"])

    def waits(self, step: str | None = None, *, reason: str | None = None, runs: int | None = None) -> dict[str, Any]:
        """Wait until it is paused: in that step, for that reason, in that run of the step, where they are given.

        Gives the pause as ``waiting`` does. Fails once it is over, or paused otherwise for longer than a test waits.
        """
        __tracebackhide__ = True
        asked = {name: value for name, value in (("step", step), ("reason", reason), ("runs", runs)) if value}
        found = self._until(lambda one: _waits(one, asked), _words(asked))
        return dict(found["waiting"])

    def succeeds(self) -> None:
        """Wait until it has succeeded; fails once it has ended otherwise or is paused for longer than a test waits."""
        __tracebackhide__ = True
        self._until(lambda one: one["status"] == "succeeded", "it succeeds")

    def fails(self, step: str | None = None, *, error: str | None = None) -> None:
        """Wait until it has failed: in that step, with an error whose name or message has that text in it."""
        __tracebackhide__ = True
        in_step = f" in step {step!r}" if step else ""
        expected = f"it fails{in_step}" + (f" with {error!r}" if error else "")
        found = self._until(lambda one: one["status"] == "failed", expected)
        failed = {one["name"] for one in found["steps"] if one["status"] == "failed"}
        said = "{ename}: {evalue}".format(**found["error"]) if found["error"] else ""
        self._demand((step is None or step in failed) and (error or "") in said, expected, found)

    def is_cancelled(self, *, reason: str | None = None) -> None:
        """Wait until it has been cancelled, for that reason where one is given."""
        __tracebackhide__ = True
        expected = "it is cancelled" + (f" ({reason})" if reason else "")
        found = self._until(lambda one: one["status"] == "cancelled", expected)
        self._demand(reason in (None, found["reason"]), expected, found)

    def resume(self, data: Any = None) -> None:
        """End its pause by the REST API; ``data`` becomes the ``body`` of ``$resume_data``."""
        self._server.client.resume(self.id, data)

    def cancel(self) -> None:
        """Cancel it by the REST API."""
        self._server.client.cancel(self.id)

    def post(self, url: str, **arguments: Any) -> httpx.Response:
        """A request to one of its links, as anybody may send it; ``arguments`` as ``httpx.post`` takes them."""
        return httpx.post(url, **{"timeout": PATIENCE, **arguments})

    def advance(self, **span: float) -> None:
        """Move the server's clock, as in ``advance(hours=1)``. Timers within that time fire one after the other.

        Returns once the executions of this test have done what their timers had them do.
        """
        __tracebackhide__ = True
        self._timeline.advance(**span)

    def settled(self) -> int | None:
        """Wait until it is over or paused; gives when its pause ends by itself, in ms since 1970, None for never."""
        __tracebackhide__ = True
        return _due(self._until(lambda one: one["status"] not in ("queued", "running"), "it ends or pauses"))

    def passes(self, time: int) -> None:
        """Wait until it is in no pause that was to end by then, in milliseconds since 1970."""
        __tracebackhide__ = True
        self._until(lambda one: (_due(one) or time + 1) > time, "its timer fires")

    def _until(self, holds: Callable[[Execution], bool], expected: str) -> Execution:
        """The execution once that holds; fails as soon as it cannot any more within ``PATIENCE``."""
        __tracebackhide__ = True
        found: Execution = {}
        for changed in self._server.changes():
            if changed not in (None, self.id):
                continue
            found = self.execution
            if holds(found):
                return found
            if found["status"] in FINAL or self._stays(found):
                break
        return self._demand(False, expected, found)

    def _stays(self, found: Execution) -> bool:
        """Whether it is paused for longer than a test waits, and nothing else may end that sooner."""
        due, waiting = _due(found), found["waiting"]
        if waiting is None or waiting["kind"] == "rerun" or any(one["workflow"] for one in waiting["alternatives"]):
            return False
        return due is None or due - self._server.now() > PATIENCE * 1000

    def _demand(self, holds: bool, expected: str, found: Execution) -> Execution:
        """Raises ``AssertionError`` with the execution's story where that does not hold."""
        __tracebackhide__ = True
        if not holds:
            raise AssertionError(story(expected, found, self.steps))
        return found


def _waits(execution: Execution, asked: Mapping[str, Any]) -> bool:
    waiting = execution["waiting"]
    return waiting is not None and all(waiting[name] == value for name, value in asked.items())


def _words(asked: Mapping[str, Any]) -> str:
    words = {"step": "in step", "reason": "for", "runs": "in run"}
    return " ".join(["it waits", *(f"{words[name]} {value!r}" for name, value in asked.items())])


def _due(execution: Execution) -> int | None:
    waiting = execution["waiting"]
    return None if waiting is None else milliseconds(waiting["wakes_at"])
