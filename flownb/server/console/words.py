"""The console's words: times, spans, what an action has led to, and what to do about errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flownb.core.diff import heading
from flownb.core.model import Json
from flownb.core.words import approvals_in_words, in_words, recurrence, run_counter, span
from flownb.server.pages import TITLES, VIA

LONGEST_JSON = 20_000
"""Characters of a value that are shown."""

_COUNTED = re.compile(r"(\w+)\.(\d{1,6})", re.ASCII)
_WRITER = json.JSONEncoder(indent=2, ensure_ascii=False)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

PLACES = {**VIA, "page": "on the review page", "http": "by its hook"}

SIGNS = {
    "queued": "○",
    "pending": "○",
    "running": "▸",
    "suspended": "‖",
    "waiting": "‖",
    "succeeded": "✓",
    "sent": "✓",
    "failed": "✕",
    "cancelled": "–",
    "skipped": "–",
    "kept": "○",
}
"""Before the word of a status, so that its colour is not all that tells it from others."""

ADVICE = {
    "standby": ("This server stands by", "Open the console of the server that is named above."),
    "starting": ("flownb is starting", "Load this page again in a moment."),
    "stopping": ("flownb is stopping", "Load this page again when the server is back."),
    "store_failed": ("The data folder is out of order", "flownb tries again every few seconds; see the server's log."),
    "failed": ("flownb is out of order", "It begins anew every few seconds; see the server's log."),
    "400": ("That cannot be read", "Go back, and correct what is named above."),
    "403": ("Not allowed", "You may not do this here. Ask whoever runs the server, or log in again."),
    "404": ("Not found", "It may have been deleted. Look for it among the executions."),
    "405": ("Not found", "This address takes no such request."),
    "409": ("Not now", "Nothing was changed. Go back and load the page again to see how it stands."),
    "413": ("Too large", "Nothing was taken."),
    "500": ("flownb failed", "See the server's log."),
    "503": ("Out of order", "Nothing was changed. Try again in a moment."),
}
"""Heading and advice, by the error's reason or its status code."""

GOOD = (
    *("resumed", "cancelled", "accepted", "postponed", "approved"),
    *("already_resumed", "already_cancelled", "already_approved"),
)
ALSO = {
    "replayed": "This is the new execution.",
    "started": "The execution was started.",
    "deployed": "The notebook is deployed.",
    "undeploy": "The workflow starts nothing any more. What runs or waits goes on.",
    "rollback": "The earlier version is current again.",
    "hook": "There is a new hook URL. The old one is not known any more.",
    "written": "The settings are in the notebook. They count once it is deployed.",
    "none": "Nothing was selected.",
    "kept": "The value is kept.",
    "deleted": "It is deleted.",
    "sending": "The message is being sent again.",
}
MANY = {
    "resumed": ("{} approved", True),
    "cancelled": ("{} cancelled", True),
    "accepted": ("{} accepted, to take effect when the step ends", True),
    "already_resumed": ("{} had been approved before", False),
    "already_cancelled": ("{} had been cancelled before", False),
    "approved": ("{} approved by you, and by others still to be", True),
    "already_approved": ("{} had been approved by you before", False),
    "not_approver": ("{} not for you to decide", False),
    "not_self": ("{} started by you, and so not for you to approve", False),
    "which_required": ("{} not decided: open them to say which one", False),
    "expired": ("{} had ended", False),
    "invalid": ("{} not accepted: open them to give the data that they ask for", False),
    "not_found": ("{} not found", False),
    "not_suspended": ("{} not waiting any more", False),
}


@dataclass(frozen=True)
class Notice:
    """What is told at the top of a page."""

    text: str
    good: bool = True


def notice(said: Sequence[str]) -> Notice | None:
    """What the codes in an address tell: a status of ``TITLES``, or how many there were of each, like ``resumed.3``.

    Whatever else the address says is not shown.
    """
    counted = [_COUNTED.fullmatch(code) for code in said]
    many = [(found[1], int(found[2])) for found in counted if found and found[1] in MANY]
    if many:
        text = "; ".join(MANY[status][0].format(count) for status, count in many)
        return Notice(f"{text}.", all(MANY[status][1] for status, _ in many))
    code = next(iter(said), "")
    if code in ALSO:
        return Notice(ALSO[code], code != "none")
    if code not in TITLES:
        return None
    title, text = TITLES[code]
    return Notice(f"{title}. {text.removesuffix(' You can close this page.')}", code in GOOD)


def pretty(value: Json) -> str:
    """JSON for people, cut where it is long; a step may export much, so no more is written than is shown."""
    shown = ""
    for piece in _WRITER.iterencode(value):
        shown += piece
        if len(shown) > LONGEST_JSON:
            return f"{shown[:LONGEST_JSON]}\n… and more"
    return shown


def lasted(milliseconds: int | None) -> str:
    return "–" if milliseconds is None else span(timedelta(milliseconds=milliseconds))


def when(at: str | None) -> str:
    """A time of the API as people read it; a dash for none."""
    return in_words(at) if at else "–"


def size(count: int) -> str:
    """Bytes as people read them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1_000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count = count / 1_000  # type: ignore[assignment]
    return f"{count:.3g} GB"


def plain(text: str) -> str:
    """Text of a terminal without its colours."""
    return _COLOURS.sub("", text)


def place(via: str) -> str:
    """Where somebody decided."""
    return PLACES.get(via, via)


def sign(status: str) -> str:
    return SIGNS.get(status, "")


FILTERS: dict[str, Callable[..., Any]] = {
    "when": when,
    "lasted": lasted,
    "pretty": pretty,
    "size": size,
    "sign": sign,
    "plain": plain,
    "place": place,
    "counter": run_counter,
    "approvals": approvals_in_words,
    "recurrence": recurrence,
    "heading": heading,
}
