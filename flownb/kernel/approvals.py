"""Several approvers, as authors ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypedDict

from flownb.core.durations import MINUTE, milliseconds
from flownb.core.errors import InvalidValue, shown
from flownb.core.mail import address
from flownb.kernel.alternatives import named
from flownb.kernel.links import Links


class Approvals(TypedDict):
    """As the rules have them."""

    needed: int
    approvers: list[str]
    not_self: bool
    escalate_after: int | None
    escalate_to: list[str]


def several_approvals(
    needed: object,
    approvers: Sequence[str] | None,
    not_self: object,
    escalate_after: float | timedelta | None,
    escalate_to: Sequence[str] | None,
) -> Approvals | None:
    """What the rules are to know, None where anybody may decide. Raises ``InvalidValue``."""
    if not isinstance(needed, int) or isinstance(needed, bool) or needed < 1:
        raise InvalidValue(f"approvals: expected a whole number, 1 or more, got {shown(needed)}")
    if not isinstance(not_self, bool):
        raise InvalidValue(f"not_self: expected True or False, got {shown(not_self)}")
    asked, further = _people(approvers, "approvers"), _people(escalate_to, "escalate_to")
    if asked and needed > len(asked):
        raise InvalidValue(f"approvals: {needed} are needed, and there are only {len(asked)} approvers")
    if (escalate_after is None) is not (escalate_to is None):
        raise InvalidValue("escalate_after and escalate_to: give both, or none of them")
    if further and not asked:
        raise InvalidValue("escalate_to: expected `approvers` with it, who are asked before these")
    if not asked and needed == 1 and not not_self:
        return None
    after = None if escalate_after is None else milliseconds(escalate_after, "escalate_after", shortest=MINUTE)
    return {
        "needed": needed,
        "approvers": asked,
        "not_self": not_self,
        "escalate_after": after,
        "escalate_to": further,
    }


def _people(given: Sequence[str] | None, what: str) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list | tuple) or not given:
        raise InvalidValue(f"{what}: expected a list of names or mail addresses, got {shown(given)}")
    found = [_person(one, what) for one in given]
    if len(set(found)) < len(found):
        raise InvalidValue(f"{what}: somebody is named twice")
    return found


def _person(given: object, what: str) -> str:
    """The name of an account, or a mail address alone."""
    name = named(given, what)
    return address(name, what)[1] if "@" in name else name


def with_approvers(links: Links, asked: Approvals | None) -> Links:
    """The links, with those of each approver who is known by a mail address."""
    for person in (*asked["approvers"], *asked["escalate_to"]) if asked else ():
        if "@" in person:
            links.approver_urls[person] = links.of(person).review_url
    return links
