"""What a mail is: checked where it is written, so that nothing in it can become a header of its own."""

from __future__ import annotations

import re

from flownb.core.errors import InvalidValue, shown
from flownb.core.model import Json

_PLAIN = r"[^\s<>@,;:\"()\[\]\\\x00-\x1f\x7f-\U0010ffff]+"
_ADDRESS = re.compile(rf"(?P<name>[^<>@\"\\]*)<(?P<named>{_PLAIN}@{_PLAIN})>|(?P<alone>{_PLAIN}@{_PLAIN})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def mail(subject: object, text: object, html: object, to: object) -> dict[str, Json]:
    """A mail as it is handed on; ``to`` is an address, a list of them, or None for whoever owns the server.

    Raises ``InvalidValue`` where it cannot be sent as it is.
    """
    if not isinstance(subject, str) or _CONTROL.search(subject):
        raise InvalidValue(f"subject: expected text of one line, got {shown(subject)}")
    if not isinstance(text, str):
        raise InvalidValue(f"text: expected text, got {shown(text)}")
    if not isinstance(html, str | None):
        raise InvalidValue(f"html: expected text or None, got {shown(html)}")
    return {"subject": subject, "text": text, "html": html, "to": _recipients(to)}


def address(value: object, what: str) -> tuple[str, str]:
    """The name, which may be empty, and the address in ``a@example.org`` or ``Ada <a@example.org>``, in ASCII.

    Raises ``InvalidValue`` for anything else.
    """
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) and not _CONTROL.search(value) else None
    if found is None:
        raise InvalidValue(f'{what}: expected an address like "ada@example.org", got {shown(value)}')
    return (found["name"] or "").strip(), found["named"] or found["alone"]


def _recipients(to: object) -> list[str]:
    if to is None:
        return []
    several = [to] if isinstance(to, str) else to
    if not isinstance(several, list | tuple | set | frozenset) or not several:
        raise InvalidValue(f"to: expected an address or a list of addresses, got {shown(to)}")
    for one in several:
        address(one, "to")
    return [str(one) for one in several]
