"""One JSON line in, one out: how a peer's process is asked for a round."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def serve(**commands: Callable[..., Any]) -> None:
    """Answer ``{"do": name, "with": {...}}`` with ``{"value": ...}`` or ``{"error": text}`` until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = {"value": commands[asked["do"]](**asked["with"])}
        except Exception:
            said = {"error": traceback.format_exc()}
        print(json.dumps(said), file=answers, flush=True)
