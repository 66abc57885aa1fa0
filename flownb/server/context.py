"""What a step is told: ``pd.context``, ``pd.steps``, its links. It travels in the request's metadata."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flownb.core.jsonvalue import dumps
from flownb.core.links import branch_token, hook_token, tokens
from flownb.core.masking import Mask
from flownb.core.model import Action, Attempt, Execution, Json
from flownb.core.notebook import Cell
from flownb.core.told import pd_context, recorded
from flownb.store.keys import Key

HOOK = "hook"
"""What the URLs of HTTP triggers have in the place where links have their action."""


@dataclass(frozen=True)
class Links:
    """Makes the URLs of links; ``root`` ends in ``flownb/``."""

    key: Key
    root: str

    def url(self, action: Action, token: str) -> str:
        return f"{self.root}{action}/{token}"

    def hook(self, workflow: str, serial: int) -> str:
        """The URL that starts a workflow."""
        return f"{self.root}{HOOK}/{hook_token(self.key.secret, workflow, serial)}"

    def of(self, execution: str, attempt: Attempt) -> dict[str, str]:
        """``resume_url``, ``cancel_url`` and ``review_url`` of an attempt."""
        made = tokens(self.key.secret, execution, attempt)
        return {f"{action}_url": self.url(action, token) for action, token in made.items()}

    def branch(self, execution: str, attempt: Attempt, name: str) -> dict[str, str]:
        """The same for one alternative of a wait, or one approver, alone."""
        made = tokens(self.key.secret, execution, attempt)
        return {f"{action}_url": self.url(action, branch_token(token, name)) for action, token in made.items()}


@dataclass(frozen=True)
class Given:
    """What a cell is given beside the record: its inputs, and how it reaches the data stores, if it may.

    Holds secrets, which ``mask`` takes out of what comes of the cell.
    """

    inputs: dict[str, Json] = field(repr=False)
    data: dict[str, Json] | None = field(repr=False)
    mask: Mask


def step_context(
    execution: Execution, cell: Cell, links: Links, given: Given, deadline: int | None, max_export_bytes: int
) -> str:
    """The message to the kernel for the step in hand, as JSON text."""
    body = execution.trigger["event"].get("body")
    told = _message("step", execution, cell, links, given, deadline, max_export_bytes)
    told["steps"] = {**recorded(execution), **told["steps"]}
    told["parameters"] = body if cell.takes_parameters and isinstance(body, dict) else None
    return dumps(told)


def shown_context(execution: Execution) -> dict[str, Json]:
    """``pd.context`` in a kernel that was opened: cells run there are run by hand."""
    step = execution.step
    assert step is not None
    return {**pd_context(execution, replace(step, runs=max(1, step.runs)), None), "test": True}


def setup_context(execution: Execution, cell: Cell, links: Links, given: Given, max_export_bytes: int) -> str:
    """The message for a setup cell: it may read what started the execution, but neither export nor pause."""
    return dumps(_message("setup", execution, cell, links, given, None, max_export_bytes))


def _message(
    mode: str,
    execution: Execution,
    cell: Cell,
    links: Links,
    given: Given,
    deadline: int | None,
    max_export_bytes: int,
) -> dict[str, Json]:
    step = execution.step
    assert step is not None
    context = pd_context(execution, step, deadline)
    return {
        "mode": mode,
        "step": cell.name,
        "links": links.of(execution.id, step.attempt),
        "steps": {"trigger": {"event": execution.trigger["event"], "context": context}},
        "context": context,
        "inputs": given.inputs,
        "data": given.data,
        "parameters": None,
        "max_export_bytes": max_export_bytes,
    }
