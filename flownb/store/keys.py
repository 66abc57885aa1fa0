"""The key of the data folder, in a file of its own: a stolen database alone makes no link."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from flownb.store.writer import StoreError


@dataclass(frozen=True)
class Key:
    """A name that the database holds beside each link, and 32 secret bytes that it does not hold."""

    name: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.name!r})"


def read_or_make(path: Path) -> Key:
    """The key in ``path``; made, on disk and for its owner alone, where there is none.

    Raises ``StoreError`` where it cannot be read: whether a new one is to take its place is for a person to say.
    """
    if not path.exists():
        _write(path, {"name": secrets.token_hex(4), "secret": secrets.token_hex(32)})
    try:
        found = json.loads(path.read_text())
        return Key(found["name"], bytes.fromhex(found["secret"]))
    except (ValueError, KeyError, TypeError):
        raise StoreError(
            f"the key in {path} is damaged: put back a copy of it, or delete it and a new one is made; "
            "links that were sent go on working"
        ) from None


def _write(path: Path, content: dict[str, str]) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
