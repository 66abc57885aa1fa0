"""Secrets by name: what workflows' settings refer to, and nothing of ours keeps."""

from __future__ import annotations

import asyncio
import os

from flownb.core.errors import FlowNBError


class NoSecret(FlowNBError):
    """There is no secret of that name."""

    reason = "no_secret"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no secret {name!r}: set it in the environment of the server")


async def secret(name: str) -> str:
    """The value of a secret; raises ``NoSecret``."""
    return await asyncio.to_thread(_read, name)


def _read(name: str) -> str:
    if name not in os.environ:
        raise NoSecret(name)
    return os.environ[name]
