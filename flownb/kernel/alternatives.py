"""What a wait may end by, as authors ask for it: made and checked at the call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from flownb.core.durations import LONGEST_LOOK_BACK, MINUTE, duration, milliseconds
from flownb.core.errors import InvalidValue, shown
from flownb.core.jsonvalue import to_json

LOOK_BACK = 5 * MINUTE
LONGEST_NAME = 200
RESERVED = ("cancel_url",)
"""What the links of a wait have beside those of its alternatives."""


@dataclass(frozen=True)
class Alternative:
    """One of those of which the first ends a wait: made by ``pd.flow.request``, ``form``, ``timer`` ..."""

    call: dict[str, object]

    @property
    def name(self) -> str:
        return str(self.call["name"])

    @property
    def linked(self) -> bool:
        """Whether it has a link."""
        return self.call["kind"] in ("request", "form")

    def __repr__(self) -> str:
        return f"<{self.call['kind']} {self.name!r}>"


def alternative(kind: str, name: object, **more: object) -> Alternative:
    """Raises ``InvalidValue`` for a name that cannot be."""
    return Alternative({"kind": kind, "name": named(name, "name"), **more})


def several(first_of: Iterable[Any]) -> list[Alternative]:
    """The alternatives of one wait; raises ``InvalidValue`` where they are none, or two have one name."""
    found = list(first_of) if isinstance(first_of, list | tuple) else []
    if not found or not all(isinstance(one, Alternative) for one in found):
        raise InvalidValue(
            "first_of: expected a list of what pd.flow.request(), form(), timer(), workflow() and event() give, "
            f"got {shown(first_of)}"
        )
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(f"first_of: two alternatives are called {name!r}: give them different names")
    return found


def named(value: object, what: str) -> str:
    """A name as text of one line."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME or not value.isprintable():
        raise InvalidValue(
            f"{what}: expected text of one line and at most {LONGEST_NAME} characters, got {shown(value)}"
        )
    if what == "name" and value in RESERVED:
        raise InvalidValue(f"name: {value!r} stands for the link that cancels the workflow")
    return value


def reason_of(said: object) -> str | None:
    if said is None or isinstance(said, str):
        return said
    raise InvalidValue(f"reason: expected text or None, got {said!r}")


def confirmed(said: object) -> bool | None:
    if isinstance(said, bool | None):
        return said
    raise InvalidValue(f"confirm: expected True, False or None, got {said!r}")


def schema_of(form: Any) -> object:
    """A JSON Schema, or that of a pydantic model."""
    found = form.model_json_schema() if hasattr(form, "model_json_schema") else form
    if found is not None and not isinstance(found, dict):
        raise InvalidValue(f"form: expected a JSON Schema (a dict) or a pydantic model, got {shown(form)}")
    return to_json(found, "form")


def _look_back(span: object) -> int:
    """How long before the wait an event may have come, in ms; 0 for not at all."""
    found = duration(span, "look_back") if isinstance(span, str) else milliseconds(span, "look_back", shortest=0)
    if found > LONGEST_LOOK_BACK:
        raise InvalidValue(f"look_back: {shown(span)} is more than 7 days, for which events are kept")
    return found


def ending(said: object) -> str:
    if said in ("resume", "cancel", "error"):
        return str(said)
    raise InvalidValue(f'on_timeout: expected "resume", "cancel" or "error", got {said!r}')


def child(name: object, data: object, on_failure: object, called: object) -> Alternative:
    """Another workflow, which is started for the wait."""
    if on_failure not in ("raise", "continue"):
        raise InvalidValue(f'on_failure: expected "raise" or "continue", got {on_failure!r}')
    workflow = named(name, "workflow")
    more = {"workflow": workflow, "data": to_json(data, "data"), "on_failure": on_failure}
    return alternative("workflow", workflow if called is None else called, **more)


class Alternatives:
    """The makers of alternatives, which are part of ``pd.flow``."""

    def request(self, name: str = "request", reason: str | None = None, confirm: bool | None = None) -> Alternative:
        """A request to a link of its own. ``reason`` and ``confirm`` are as with ``suspend``."""
        return alternative("request", name, reason=reason_of(reason), confirm=confirmed(confirm))

    def form(self, schema: Any, name: str = "form", reason: str | None = None) -> Alternative:
        """A request whose data fits a JSON Schema or a pydantic model; its link's page asks for it."""
        if schema is None:
            raise InvalidValue("form: expected a JSON Schema (a dict) or a pydantic model, got None")
        return alternative("form", name, form=schema_of(schema), reason=reason_of(reason))

    def timer(self, ms: float | timedelta, name: str = "timer") -> Alternative:
        """So many milliseconds, counted from the end of the step."""
        return alternative("timer", name, after_ms=milliseconds(ms, "timer"))

    def workflow(
        self,
        workflow: str,
        data: object = None,
        name: str | None = None,
        *,
        on_failure: Literal["raise", "continue"] = "continue",
    ) -> Alternative:
        """The end of a deployed workflow, which is started with ``data`` at the end of the step.

        It is called by its own name, unless ``name`` is given. With ``on_failure="raise"`` its failure fails the step.
        """
        return child(workflow, data, on_failure, name)

    def event(self, event: str, name: str | None = None, look_back: float | timedelta | str = LOOK_BACK) -> Alternative:
        """A named event; also one that came at most ``look_back`` before the wait began, 0 for none, 7 days at most."""
        called = named(event, "event")
        return alternative("event", called if name is None else name, event=called, look_back=_look_back(look_back))
