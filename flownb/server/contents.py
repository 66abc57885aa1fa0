"""The author's notebooks as Jupyter itself reads and writes them, so that editors in which they are open notice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler

from flownb.core.editing import ABSENT, settings_in, with_settings
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Json


class ChangedMeanwhile(FlowNBError):
    """The settings in the file are not those that somebody has edited."""

    reason = "changed"


def seen(settings: Mapping[str, Json]) -> str:
    """A word for these settings, by which they are known again."""
    return hashlib.blake2b(dumps(settings).encode(), digest_size=8).hexdigest()


async def is_open(handler: JupyterHandler, path: str) -> bool:
    """Whether the notebook has a kernel in Jupyter, as one has that is open in an editor."""
    sessions: Any = await ensure_async(handler.session_manager.list_sessions())
    return any(session.get("path") == path for session in sessions)


async def read_settings(handler: JupyterHandler, path: str) -> dict[str, Json]:
    """The settings in the file of a notebook; raises ``HTTPError`` where there is none, or ``NotebookError``."""
    return _plain((await _read(handler, path))["content"])


async def write_settings(handler: JupyterHandler, path: str, said: Mapping[str, Any], known: str) -> None:
    """Put these settings in place of those that are ``known``.

    Raises ``ChangedMeanwhile``, ``InvalidValue`` where they are not valid, ``NotebookError`` or ``HTTPError``.
    """
    model = await _read(handler, path)
    before = _plain(model["content"])
    if seen(before) != known:
        raise ChangedMeanwhile(f"the settings in {path} have changed since this page was loaded: load it again")
    changes: dict[str, Any] = {key: ABSENT for key in before if key not in said}
    changes |= {key: value for key, value in said.items() if value != before.get(key, ABSENT)}
    content = with_settings(model["content"], changes)
    saved = {"type": "notebook", "format": "json", "content": content}
    await ensure_async(handler.contents_manager.save(saved, path))


async def _read(handler: JupyterHandler, path: str) -> dict[str, Any]:
    model: dict[str, Any] = await ensure_async(handler.contents_manager.get(path, content=True, type="notebook"))
    return model


def _plain(content: Mapping[str, Any]) -> dict[str, Json]:
    """The settings as plain dicts, which the nodes of nbformat are not."""
    found = to_json(settings_in(content), "metadata.flownb")
    assert isinstance(found, dict)
    return found
