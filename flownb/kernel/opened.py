"""The kernel of an execution that a person opened: what it started with, what has changed, and how to go on from it."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from flownb.core.errors import FlowNBError
from flownb.core.hashing import digest
from flownb.core.jsonvalue import dumps
from flownb.kernel import frames, snapshot
from flownb.kernel.cells import opened
from flownb.kernel.ipython import shell
from flownb.kernel.origins import authors_names, origin
from flownb.kernel.reply import Reply

SECONDS = 60.0
"""The server answers within that time."""


@dataclass
class _Opened:
    """What the server said of the execution, and the variables as they were."""

    told: dict[str, Any]
    variables: dict[str, str]


_opened: _Opened | None = None


def begin(text: str) -> Reply:
    """Applies the JSON object ``text``.

    ``url`` is where to continue, with the ``secret``; ``place`` is for the checkpoint, which may take
    ``most`` bytes; ``steps`` and ``context`` are what ``pd`` shows.
    """
    global _opened
    told = json.loads(text)
    _opened = _Opened(told, _digests())
    opened(told["steps"], told["context"], _continue)
    return Reply()


def save(until: str) -> Reply:
    """Writes the variables as they are now to a new checkpoint. Replies as ``snapshot.save``, with its ``file`` and
    the ``changes`` since the kernel was opened.

    Raises as that does, and ``FlowNBError`` after ``until``, in seconds since 1970: nobody waits for it any more.
    """
    if time.time() > float(until):
        raise FlowNBError("the server has given up waiting for the variables")
    return Reply(**_saved(_here()))


def _continue(data: object, replay: bool) -> str:
    here = _here()
    asked = {"saved": _saved(here), "data": data, "replay": replay}
    return str(_post(here.told, asked)["message"])


def _here() -> _Opened:
    if _opened is None:
        raise FlowNBError("this kernel has no execution open")
    return _opened


def _saved(here: _Opened) -> dict[str, object]:
    told = here.told
    file = f"open-{token_hex(8)}.snapshot"
    reply = snapshot.save(told["place"], file, told["most"])
    return {**reply.content, "file": file, "changes": _changes(here.variables, _digests())}


def _changes(before: dict[str, str], now: dict[str, str]) -> str:
    """In words, as the record has them; empty where nothing changed."""
    kinds = {
        "changed": [name for name in now if name in before and now[name] != before[name]],
        "added": [name for name in now if name not in before],
        "removed": [name for name in before if name not in now],
    }
    return ", ".join(f"{kind} {', '.join(map(repr, names))}" for kind, names in kinds.items() if names)


def _digests() -> dict[str, str]:
    """Of each variable, taken by itself; the button to continue imports flownb, which is no change of anybody's."""
    namespace = shell().user_ns
    names = [name for name in authors_names(shell()) if namespace[name] is not sys.modules["flownb"]]
    return {name: _digest(namespace, name) for name in names}


def _digest(namespace: dict[str, Any], name: str) -> str:
    pickled = frames.write(namespace, [name], origin)
    return digest([*(content for _, content in pickled.each()), *pickled.contents])


def _post(told: dict[str, Any], content: object) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "X-Flownb-Opened": told["secret"]}
    request = urllib.request.Request(told["url"], dumps(content).encode(), headers)  # noqa: S310 - of our server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the server is on this machine
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise FlowNBError(_refusal(error)) from None
    except OSError as error:
        raise FlowNBError(f"the server does not answer: {error}") from None
    return found


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (ValueError, LookupError, TypeError):
        return f"the server refuses: {error}"
