"""Secrets by name: what workflows' settings refer to, and nothing of ours keeps."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping

from flownb.core.errors import FlowNBError

PREFIX = "FLOWNB_SECRET_"
"""What the name of a secret has before it in the environment of the server."""

SERVICE = "flownb"
"""Under which secrets stand in a keyring, with their names as names of users."""

_taken: dict[str, str] = {}
"""What was in the environment of this process; of which there is one."""


class NoSecret(FlowNBError):
    """There is no secret of that name."""

    reason = "no_secret"

    def __init__(self, name: str, why: str = "") -> None:
        where = f"in the environment of the server as {PREFIX}{name}, or in its keyring (service {SERVICE!r})"
        super().__init__(f"there is no secret {name!r}: put it {where}{why and f'; {why}'}")


def take_out(environment: MutableMapping[str, str]) -> None:
    """Take all secrets out of an environment, for what starts from then on inherits the rest of it."""
    for name in [name for name in environment if name.startswith(PREFIX)]:
        _taken[name.removeprefix(PREFIX)] = environment.pop(name)


async def secret(name: str) -> str:
    """The value of a secret, which is never empty; raises ``NoSecret``."""
    if found := _taken.get(name):
        return found
    return await asyncio.to_thread(_in_keyring, name)


async def is_there(name: str) -> bool:
    """Whether there is such a secret."""
    try:
        await secret(name)
    except NoSecret:
        return False
    return True


def _in_keyring(name: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise NoSecret(name, "the keyring needs `flownb[keyring]`") from None
    try:
        found = keyring.get_password(SERVICE, name)
    except KeyringError as error:
        raise NoSecret(name, f"the keyring cannot be read: {type(error).__name__}") from None
    if not found:
        raise NoSecret(name)
    return str(found)
