"""The secrets of links, and of kernels: made anew whenever needed from a key, never stored.

token = HMAC-SHA256(key, execution, step, run, attempt, action), 256 bits in URL-safe base64. The store knows a token
by its SHA-256 alone, so that a stolen database opens nothing and an unknown link and an altered one look the same.

Several people may each have a link of their own, and each alternative of a wait: a branch of the token, which whoever
has the token can make, and from which neither the token nor another branch can be made. It is ``H.B.S``: the SHA-256
of the token, the branch's name, and HMAC-SHA256(token, name) cut to 192 bits, all in URL-safe base64.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass

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
    return _base64(hmac.digest(key, dumps(said).encode(), "sha256"))


def fingerprint(token: str) -> bytes:
    """What the store keeps of a token, 32 bytes."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def tokens(key: bytes, execution: str, attempt: Attempt) -> dict[Action, str]:
    """All secrets of one attempt."""
    return {action: token(key, execution, attempt, action) for action in Action}


@dataclass(frozen=True)
class Branch:
    """A branch as its link says it is: of the token with this fingerprint, not proven yet."""

    text: str
    fingerprint: bytes
    name: str

    def is_of(self, token: str) -> bool:
        """Whether the holder of ``token`` has made this very link."""
        return hmac.compare_digest(self.text.encode(), branch_token(token, self.name).encode())


def branch_token(token: str, name: str) -> str:
    """The secret of a link for one alternative, or one approver, alone."""
    written = name.encode(errors="surrogatepass")
    proof = hmac.digest(token.encode(), b"flownb branch\0" + written, "sha256")[:24]
    return f"{_prefix(token)}{_base64(written)}.{_base64(proof)}"


def branch(text: str) -> Branch | None:
    """What the secret of a link says of itself; None where it is none of a branch."""
    try:
        fingerprint, name, _ = text.encode("ascii").split(b".")
        return Branch(text, _bytes(fingerprint), _bytes(name).decode(errors="surrogatepass"))
    except (ValueError, Error):
        return None


def branches(text: str, tokens: Iterable[str]) -> list[str]:
    """The secrets of all branches of these tokens that stand in a text."""
    found = "|".join(re.escape(_prefix(token)) for token in tokens)
    return re.findall(rf"(?:{found})[\w-]*\.[\w-]+", text, re.ASCII) if found else []


def _prefix(token: str) -> str:
    return f"{_base64(fingerprint(token))}."


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(written: bytes) -> bytes:
    return urlsafe_b64decode(written + b"=" * (-len(written) % 4))
