"""The port of this server: links that were sent point to it."""

from __future__ import annotations

from tornado.netutil import bind_sockets

from flownb.store.folder import DataFolder


def read_port(folder: DataFolder) -> int | None:
    """The port of the last server on this data folder."""
    try:
        return int(folder.port.read_text())
    except (OSError, ValueError):
        return None


def is_free(port: int, address: str) -> bool:
    """Whether a server could listen there now."""
    try:
        for listening in bind_sockets(port, address):
            listening.close()
    except OSError:
        return False
    return True
