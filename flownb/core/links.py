"""The secrets of links, and of kernels: made anew whenever needed from a key, never stored.

token = HMAC-SHA256(key, execution, step, run, attempt, action), 256 bits in URL-safe base64. The store knows a token
by its SHA-256 alone, so that a stolen database opens nothing and an unknown link and an altered one look the same.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from flownb.core.jsonvalue import dumps
from flownb.core.model import Action, Attempt, Json


def token(key: bytes, execution: str, attempt: Attempt, action: Action) -> str:
    """The secret of one link, 43 characters."""
    return _secret(key, ["flownb link", execution, *attempt, action])


def hook_token(key: bytes, workflow: str, serial: int) -> str:
    """The secret of a workflow's hook URL; ``serial`` counts those that it has had."""
    return _secret(key, ["flownb hook", workflow, serial])


def data_token(key: bytes, execution: str, segment: int) -> str:
    """What a kernel shows to reach data stores while it runs that segment of an execution."""
    return _secret(key, ["flownb data", execution, segment])


def _secret(key: bytes, said: list[Json]) -> str:
    return urlsafe_b64encode(hmac.digest(key, dumps(said).encode(), "sha256")).decode().rstrip("=")


def fingerprint(token: str) -> bytes:
    """What the store keeps of a token, 32 bytes."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def tokens(key: bytes, execution: str, attempt: Attempt) -> dict[Action, str]:
    """All secrets of one attempt."""
    return {action: token(key, execution, attempt, action) for action in Action}
