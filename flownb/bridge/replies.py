"""What flownb's code in a kernel answered."""

from __future__ import annotations

import json
from typing import Any

from flownb.bridge.port import AskFailed
from flownb.core.model import Json
from flownb.core.reply import EXPRESSION, MIMETYPE


def read_reply(content: dict[str, Any], expression: str = EXPRESSION) -> Json:
    """The answer to an expression in an ``execute_reply``; raises ``AskFailed`` where our code raised."""
    found = content.get("user_expressions", {}).get(expression)
    if found is None:
        raise AskFailed("NoAnswer", "the kernel evaluated no expression: is it an ipykernel?")
    if found["status"] != "ok":
        raise AskFailed(found["ename"], found["evalue"])
    if MIMETYPE not in found["data"]:
        raise AskFailed("NoAnswer", f"the kernel answered {found['data'].get('text/plain')!r}")
    return json.loads(found["data"][MIMETYPE])
