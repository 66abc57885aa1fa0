"""Which request a pause takes: one for an alternative that it has, of somebody whom it asks."""

from __future__ import annotations

from flownb.core.events import RequestArrived
from flownb.core.forms import complaints
from flownb.core.frozen import replace
from flownb.core.model import Action, Approvals, Decision, Execution, Json, Pause
from flownb.core.times import iso
from flownb.core.transitions.outcome import Answer, Outcome, with_pause

EXPIRED = Answer(410, "expired")
NOT_SUSPENDED = Answer(409, "not_suspended", reason="not_suspended")
WHICH_REQUIRED = Answer(409, "which_required")
NOT_APPROVER = Answer(403, "not_approver")
NOT_SELF = Answer(403, "not_self")


def meant(pause: Pause, event: RequestArrived) -> str | None:
    """The alternative that a request is for, or the approver whose it is; by the only way to decide, if need be."""
    if pause.approvals is not None:
        return event.branch or event.signature.login
    named = event.which or event.branch
    if named is None and len(pause.choices) == 1:
        return pause.choices[0].name
    return named


def decision_of(pause: Pause, event: RequestArrived, now: int) -> Decision:
    which = meant(pause, event) if event.action is Action.RESUME or pause.approvals else None
    return Decision(event.action, now, event.request, event.signature, which)


def placed(pause: Pause, decision: Decision) -> Decision:
    """A decision of before the pause was known, as one about it."""
    if decision.which is not None or not (pause.approvals or decision.action is Action.RESUME):
        return decision
    event = RequestArrived(decision.action, signature=decision.signature)
    return replace(decision, which=meant(pause, event))


def refusal(execution: Execution, pause: Pause, decision: Decision) -> Answer | None:
    """Why a pause does not take a decision; nothing is used up."""
    if pause.approvals is not None:
        return _no_approval(execution, pause.approvals, decision)
    if decision.action is Action.CANCEL or (pause.kind is None and not pause.alternatives):
        return None  # a step that runs may yet ask for one of several
    if pause.alternatives and decision.which is None:
        return WHICH_REQUIRED if pause.choices else EXPIRED
    if decision.which is not None and decision.which not in {one.name for one in pause.choices}:
        return EXPIRED
    return None


def _no_approval(execution: Execution, approvals: Approvals, decision: Decision) -> Answer | None:
    who = decision.which
    if who is None or (approvals.approvers and who not in approvals.asked):
        return NOT_APPROVER
    if decision.action is Action.RESUME and approvals.not_self and _started(execution, decision):
        return NOT_SELF
    return None


def _started(execution: Execution, decision: Decision) -> bool:
    """Whether whoever decides has started the execution, as far as the login tells."""
    started = {execution.trigger.get("login"), execution.trigger.get("by")} - {None}
    return bool(started & {decision.which, decision.signature.login, decision.signature.user})


def misfit(pause: Pause, decision: Decision) -> dict[str, str]:
    """What is wrong with the data of an approval, by field; a cancel needs none."""
    chosen = pause.alternative(decision.which)
    form = chosen.form if chosen is not None else pause.form
    if form is None or decision.action is not Action.RESUME:
        return {}
    return complaints(form, decision.request["body"] if decision.request else None)


def approved(execution: Execution, pause: Pause, decision: Decision, now: int) -> Outcome | None:
    """An approval that is not the last one that is needed; None for the one that ends the pause."""
    approvals = pause.approvals
    if approvals is None or decision.action is not Action.RESUME:
        return None
    if (given := of(approvals, decision.which)) is not None:
        again = Answer(200, "already_approved", given.at, by=given.signature.name, missing=approvals.missing)
        return Outcome(execution, again)
    more = replace(approvals, given=(*approvals.given, decision))
    execution = with_pause(replace(execution, pause=pause), approvals=more)
    if not more.missing:
        return None
    return Outcome(execution, Answer(202, "approved", now, missing=more.missing))


def completed(pause: Pause, decision: Decision) -> Pause:
    """The pause with the decision that ends it, which is one of the approvals where these are counted."""
    approvals = pause.approvals
    if approvals is not None and decision.action is Action.RESUME and of(approvals, decision.which) is None:
        approvals = replace(approvals, given=(*approvals.given, decision))
    return replace(pause, approvals=approvals, decision=decision)


def of(approvals: Approvals, who: str | None) -> Decision | None:
    """What somebody has approved before."""
    return next((one for one in approvals.given if one.which == who), None)


def told(pause: Pause) -> Json:
    """What the workflow is told of the decision that ended its pause."""
    decision = pause.decision
    if decision is None:
        return None
    if pause.alternatives:
        return {**(decision.request or {}), "which": decision.which}
    if pause.approvals is not None:
        return {**(decision.request or {}), "approvals": [_told(one) for one in pause.approvals.given]}
    return decision.request


def _told(approval: Decision) -> Json:
    signature, request = approval.signature, approval.request or {}
    return {
        "by": signature.name or approval.which,
        "user": approval.which,
        "at": iso(approval.at),
        "comment": signature.comment,
        "body": request.get("body"),
    }
