"""What a person is asked on the page of a pause: for which of several things, as one of how many."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.links import branch_token
from flownb.core.model import Alternative, Approvals, Json, Pause
from flownb.core.words import approvals_in_words
from flownb.server.view import approvals_view
from flownb.store.queries import Link


@dataclass(frozen=True)
class Choice:
    """One of several alternatives, with the address of its own page."""

    name: str
    reason: str | None
    href: str


@dataclass(frozen=True)
class Asked:
    """What the page of a link asks: its form, the alternatives to choose from first, and how the approvals stand."""

    form: Json
    reason: str | None
    choices: tuple[Choice, ...]
    approvals: str
    may: bool


def asked(pause: Pause | None, link: Link, review: str) -> Asked:
    """``review`` is the secret of the page for the whole pause."""
    if pause is None:
        return Asked(None, None, (), "", True)
    one = chosen(pause, link)
    form, reason = (one.form, one.reason or pause.reason) if one is not None else (pause.form, pause.reason)
    open_ = pause.choices if pause.alternatives and one is None else ()
    choices = tuple(Choice(each.name, each.reason, f"../review/{branch_token(review, each.name)}") for each in open_)
    may = _is_asked(pause.approvals, link.branch) if pause.approvals else one is not None or not pause.alternatives
    said = approvals_in_words(approvals_view(pause.approvals)) if pause.approvals else ""
    return Asked(form, reason, choices, said, may)


def chosen(pause: Pause, link: Link) -> Alternative | None:
    """The alternative that a page is about: that of its link, or the only one that there is."""
    if link.branch is None and len(pause.choices) == 1:
        return pause.choices[0]
    return pause.alternative(link.branch)


def _is_asked(approvals: Approvals, who: str | None) -> bool:
    """Whether the approval of somebody, known by their link, is waited for."""
    return who in approvals.silent
