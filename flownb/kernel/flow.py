"""``pd.flow``: how a step asks for a pause, another run, or the end of its workflow."""

from __future__ import annotations

import warnings
from datetime import timedelta
from types import EllipsisType
from typing import Any, Literal

from flownb.core.durations import DAY, MINUTE, milliseconds
from flownb.core.errors import InvalidValue, shown
from flownb.core.jsonvalue import to_json
from flownb.kernel.cells import running
from flownb.kernel.links import Links


class Flow:
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
    ) -> Links:
        """Pause until a request to one of the returned links, or until ``timeout`` milliseconds (24 hours) are over.

        At the timeout the workflow goes on ("resume"), is cancelled ("cancel") or fails ("error"). ``reason`` and
        ``form``, a JSON Schema or a pydantic model, stand on the review page. ``confirm`` says whether opening a link
        in a browser asks first; None leaves it to the workflow's setting. ``remind_every``, a minute or more, is the
        time between reminders to whom the server notifies.
        """
        if on_timeout not in ("resume", "cancel", "error"):
            raise InvalidValue(f'on_timeout: expected "resume", "cancel" or "error", got {on_timeout!r}')
        if not isinstance(confirm, bool | None):
            raise InvalidValue(f"confirm: expected True, False or None, got {confirm!r}")
        return running().pause(
            {
                "kind": "suspend",
                "after_ms": milliseconds(timeout, "timeout"),
                "on_timeout": on_timeout,
                "reason": _reason(reason),
                "form": _schema(form),
                "confirm": confirm,
                "remind_every": _interval(remind_every),
            }
        )

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
        running().exit(_reason(reason))

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


def _reason(reason: object) -> str | None:
    if reason is None or isinstance(reason, str):
        return reason
    raise InvalidValue(f"reason: expected text or None, got {reason!r}")


def _interval(remind_every: float | timedelta | None) -> int | None:
    return None if remind_every is None else milliseconds(remind_every, "remind_every", shortest=MINUTE)


def _schema(form: Any) -> object:
    schema = form.model_json_schema() if hasattr(form, "model_json_schema") else form
    if schema is not None and not isinstance(schema, dict):
        raise InvalidValue(f"form: expected a JSON Schema (a dict) or a pydantic model, got {shown(form)}")
    return to_json(schema, "form")


def _retries(camel_case: object, spelling: object) -> int:
    given = [value for value in (camel_case, spelling) if value is not ...]
    if len(given) == 2:
        raise InvalidValue("max_retries and maxRetries are the same: give one of them")
    number = given[0] if given else 10
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise InvalidValue(f"max_retries: expected a whole number, 0 or more, got {number!r}")
    return number


flow = Flow()
