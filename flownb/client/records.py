"""The calls about records as a whole: what they cost, whether they were altered, and how they travel."""

from __future__ import annotations

from typing import IO, Any
from urllib.parse import quote

import httpx

from flownb.client.errors import NoServer

TIMEOUT = 30.0
"""Seconds within which a server answers."""

PATIENT = httpx.Timeout(TIMEOUT, read=None)
"""For what takes as long as it takes."""


class Records:
    """A part of ``Client``, which has the connection."""

    _http: httpx.Client

    def export(self, execution_id: str, file: IO[bytes]) -> None:
        """Write an execution that is paused or over into a file, as ``take_in`` reads it on another machine."""
        self._download("GET", one(execution_id, "export"), file)

    def backup(self, file: IO[bytes]) -> None:
        """Write all that the server keeps into a file, its key too, for ``flownb restore``."""
        self._download("POST", "backup", file)

    def _download(self, method: str, path: str, file: IO[bytes]) -> None:
        try:
            with self._http.stream(method, path, timeout=PATIENT) as answer:
                if not answer.is_success:
                    answer.read()
                self._check(answer)
                for piece in answer.iter_bytes():
                    file.write(piece)
        except httpx.TransportError as error:
            raise self._no_server(error) from None

    def take_in(self, file: IO[bytes]) -> dict[str, Any]:
        """Put an execution from another machine down here; gives the execution. The server trusts the file's sender."""
        return self._object("POST", "executions/import", content=file, timeout=PATIENT)

    def moved(self, execution_id: str, to: str | None = None, head: str | None = None) -> dict[str, Any]:
        """Mark an execution as gone to the address ``to``, unless it has changed since the entry ``head``."""
        return self._object("POST", one(execution_id, "moved"), json={"to": to, "head": head})

    def verify(self, execution_id: str, expect: str | None = None) -> dict[str, Any]:
        """``{"status", "head", "altered", ...}``: whether somebody without the key has altered the record, and where.

        ``expect`` is a head that an earlier call gave and that was kept elsewhere.
        """
        asked = {"expect": expect} if expect is not None else {}
        return self._object("GET", one(execution_id, "verify"), params=asked, timeout=PATIENT)

    def retention(self, *, days: float = 0, executions: int = 0, bytes: int = 0, limit: int = 50) -> dict[str, Any]:
        """``{"keep", "bytes", "executions", "more"}``: what settings would remove, those of the server unless given."""
        asked = {"days": days, "executions": executions, "bytes": bytes, "limit": limit}
        return self._object("GET", "retention", params={key: value for key, value in asked.items() if value})

    def usage(
        self,
        by: str = "day",
        *,
        since: str | None = None,
        until: str | None = None,
        workflow: str | None = None,
        limit: int = 50,
    ) -> dict[str, Any]:
        """``{"by", "rows", "more", "total"}``: what was used, by day, workflow, execution, step or segment.

        ``since`` and ``until`` are days in UTC like ``"2026-11-23"``, both included.
        """
        asked = {"by": by, "since": since, "until": until, "workflow": workflow, "limit": limit}
        return self._object("GET", "usage", params={key: value for key, value in asked.items() if value is not None})

    def _object(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _no_server(self, error: httpx.TransportError) -> NoServer:
        raise NotImplementedError

    def _check(self, response: httpx.Response) -> None:
        raise NotImplementedError


def one(execution_id: str, *more: str) -> str:
    """The path of an execution, or of what is below it."""
    return "/".join(["executions", quote(execution_id, safe=""), *more])
