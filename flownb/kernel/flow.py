"""``pd.flow``: how a step asks for a pause, another run, or the end of its workflow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import timedelta
from types import EllipsisType
from typing import Any, Literal

from flownb.core.durations import DAY, MINUTE, milliseconds
from flownb.core.errors import InvalidValue
from flownb.core.jsonvalue import to_json
from flownb.kernel.alternatives import (
    Alternative,
    Alternatives,
    confirmed,
    ending,
    reason_of,
    schema_of,
    several,
)
from flownb.kernel.approvals import several_approvals, with_approvers
from flownb.kernel.cells import running
from flownb.kernel.links import Links, WaitLinks


class Flow(Alternatives):
    """Ask for a pause; the step still goes on to its end, and only then the execution pauses.

    Times are milliseconds or ``datetime.timedelta``, at most 366 days. What does not fit raises ``InvalidValue`` at the
    call.
    """

    def __init__(self) -> None:
        self.__module__ = "flownb"  # pickled as flownb.flow, a name that stays

    def suspend(
        self,
        timeout: float | timedelta = DAY,
        *,
        on_timeout: Literal["resume", "cancel", "error"] = "resume",
        reason: str | None = None,
        form: Any = None,
        confirm: bool | None = None,
        remind_every: float | timedelta | None = None,
        approvals: int = 1,
        approvers: Sequence[str] | None = None,
        not_self: bool = False,
        escalate_after: float | timedelta | None = None,
        escalate_to: Sequence[str] | None = None,
    ) -> Links:
        """Pause until a request to one of the returned links, or until ``timeout`` milliseconds (24 hours) are over.

        At the timeout the workflow goes on ("resume"), is cancelled ("cancel") or fails ("error"). ``reason`` and
        ``form``, a JSON Schema or a pydantic model, stand on the review page. ``confirm`` says whether opening a link
        in a browser asks first; None leaves it to the workflow's setting. ``remind_every``, a minute or more, is the
        time between reminders to whom the server notifies.

        ``approvals`` of different people are needed, of ``approvers`` if given: names of Jupyter accounts, or mail
        addresses, which each get a link of their own (``approver_urls``). With ``not_self`` whoever started the
        execution may not approve. After ``escalate_after`` those in ``escalate_to`` are asked too.
        """
        asked = several_approvals(approvals, approvers, not_self, escalate_after, escalate_to)
        links = running().pause(
            {
                "kind": "suspend",
                "after_ms": milliseconds(timeout, "timeout"),
                "on_timeout": ending(on_timeout),
                "reason": reason_of(reason),
                "form": schema_of(form),
                "confirm": confirmed(confirm),
                "remind_every": _interval(remind_every),
                **({"approvals": asked} if asked else {}),
            }
        )
        return with_approvers(links, asked)

    def wait(
        self,
        first_of: Sequence[Alternative],
        timeout: float | timedelta = DAY,
        on_timeout: Literal["resume", "cancel", "error"] = "resume",
        *,
        reason: str | None = None,
    ) -> WaitLinks:
        """Pause until the first of several things, or until ``timeout`` milliseconds (24 hours) are over.

        They are what ``pd.flow.request``, ``form``, ``timer``, ``workflow`` and ``event`` give. The name of the one
        that came is ``pd.context.resume["which"]``. Returns the links of each request and form by its name, and
        ``cancel_url``.
        """
        return begin_wait(several(first_of), milliseconds(timeout, "timeout"), on_timeout, reason)

    def rerun(
        self,
        delay: float | timedelta,
        context: Any = None,
        maxRetries: int | EllipsisType = ...,
        *,
        max_retries: int | EllipsisType = ...,
    ) -> Links:
        """Run this step again after ``delay`` milliseconds (0 or more), or at a request to the returned ``resume_url``.

        ``context``, JSON, is ``pd.context.run.context`` of the next run. ``max_retries``, or ``maxRetries``, counts
        reruns and is 10 unless given: from run ``max_retries + 1`` on this call asks for nothing, and the workflow goes
        on.
        """
        return running().pause(
            {
                "kind": "rerun",
                "after_ms": milliseconds(delay, "delay", shortest=0),
                "context": to_json(context, "context"),
                "max_retries": _retries(maxRetries, max_retries),
            }
        )

    def delay(self, ms: float | timedelta) -> Links:
        """Pause for ``ms`` milliseconds, then go on; a request to the returned ``resume_url`` goes on sooner."""
        return running().pause({"kind": "delay", "after_ms": milliseconds(ms, "delay")})

    def exit(self, reason: str | None = None) -> None:
        """End the workflow, as succeeded, after this step; later steps are skipped. ``reason`` is put on record."""
        running().exit(reason_of(reason))

    def retry(
        self,
        delay: float | timedelta,
        context: Any = None,
        maxRetries: int | EllipsisType = ...,
        *,
        max_retries: int | EllipsisType = ...,
    ) -> Links:
        """The former name of ``rerun``; deprecated."""
        warnings.warn("pd.flow.retry is called pd.flow.rerun", DeprecationWarning, stacklevel=2)
        return self.rerun(delay, context, maxRetries, max_retries=max_retries)

    def __reduce__(self) -> str:
        return "flow"


def begin_wait(first_of: list[Alternative], timeout: int, on_timeout: str, reason: str | None) -> WaitLinks:
    """Asks for a wait at the end of the running cell."""
    call = {
        "kind": "wait",
        "after_ms": timeout,
        "on_timeout": ending(on_timeout),
        "reason": reason_of(reason),
        "alternatives": [one.call for one in first_of],
    }
    return WaitLinks(running().pause(call), [one.name for one in first_of if one.linked])


def _interval(remind_every: float | timedelta | None) -> int | None:
    return None if remind_every is None else milliseconds(remind_every, "remind_every", shortest=MINUTE)


def _retries(camel_case: object, spelling: object) -> int:
    given = [value for value in (camel_case, spelling) if value is not ...]
    if len(given) == 2:
        raise InvalidValue("max_retries and maxRetries are the same: give one of them")
    number = given[0] if given else 10
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise InvalidValue(f"max_retries: expected a whole number, 0 or more, got {number!r}")
    return number


flow = Flow()
