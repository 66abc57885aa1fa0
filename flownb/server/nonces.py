"""Words that a page gives out and wants back, so that a form is of that page and of that moment; nothing is kept.

nonce = salt + HMAC-SHA256(key, execution, attempt, deadline, what was shown, salt). A decision or a new deadline makes
all those given out before useless; no two are the same; a restart makes no difference.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from secrets import token_urlsafe

from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt

SALT = 16
"""Characters of the salt."""


def nonce(key: bytes, execution: str, attempt: Attempt, deadline: int | None, shown: str) -> str:
    """A new one; ``deadline`` is that of the pause, ``shown`` the digest of what the page has."""
    return _made(key, execution, attempt, deadline, shown, token_urlsafe(SALT)[:SALT])


def is_current(sent: str, key: bytes, execution: str, attempt: Attempt, deadline: int | None, shown: str) -> bool:
    """Whether what came back was given out for a pause as it is now."""
    made = _made(key, execution, attempt, deadline, shown, sent[:SALT])
    return hmac.compare_digest(made.encode(), sent.encode(errors="replace"))


def _made(key: bytes, execution: str, attempt: Attempt, deadline: int | None, shown: str, salt: str) -> str:
    said = dumps(["flownb review", execution, *attempt, deadline, shown, salt]).encode()
    return salt + urlsafe_b64encode(hmac.digest(key, said, "sha256")).decode().rstrip("=")
