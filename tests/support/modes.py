"""Three ways in which a workflow may live through its pauses; for its author they are one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.server import Server

KEPT, DROPPED, KILLED = MODES = ("kernels kept", "kernels dropped", "server killed")
"""At a pause the kernel stays warm, or goes at once, or the whole server dies and is started again."""

EXTREMES = (KEPT, KILLED)
"""For modules about what stands between people and a pause: a server that is killed has dropped its kernels too."""


class KilledServer(Server):
    """A server that dies, and is started again, at each pause that is seen by whoever waits."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seen: set[tuple[str, str]] = set()

    def look(self, execution: str) -> dict[str, Any]:
        found = self.get(execution)
        waiting = found["waiting"]
        if waiting is None or (execution, waiting["since"]) in self._seen:
            return found
        self._seen.add((execution, waiting["since"]))
        self.kill()
        self.start()
        return self.look(execution)


def server_in_mode(mode: str, root: Path, **options: Any) -> Server:
    """A server, not started yet."""
    if mode == KILLED:
        return KilledServer(root, **options)
    return Server(root, *(["--FlowNB.warm_seconds=0"] if mode == DROPPED else []), **options)
