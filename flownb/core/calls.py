"""What a kernel says of a call for a pause, as data of the rules."""

from __future__ import annotations

from typing import Any

from flownb.core.events import PauseAsked, PauseCall
from flownb.core.model import Alternative, Approvals, Awaited, Json, PauseKind


def pause_call(said: dict[str, Json]) -> PauseCall:
    """The call in a step's reply."""
    return PauseCall(**{**said, "kind": PauseKind(said["kind"]), **_compound(said)})


def pause_asked(said: dict[str, Json]) -> PauseAsked:
    """The same call, as it is announced while its step runs."""
    return PauseAsked(said.get("confirm"), said.get("form"), **_compound(said))


def _compound(said: dict[str, Json]) -> dict[str, Any]:
    alternatives, approvals = said.get("alternatives") or (), said.get("approvals")
    return {
        "alternatives": tuple(Alternative(**{**one, "kind": Awaited(one["kind"])}) for one in alternatives),
        "approvals": Approvals(**{name: _frozen(value) for name, value in approvals.items()}) if approvals else None,
    }


def _frozen(value: Json) -> Json:
    return tuple(value) if isinstance(value, list) else value
