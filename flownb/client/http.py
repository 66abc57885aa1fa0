"""The API of one server, call by call."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx

from flownb.client.errors import ApiError, NoServer
from flownb.client.events import Events
from flownb.client.records import PATIENT, TIMEOUT, Records, one

FINAL = ("succeeded", "failed", "cancelled")
"""The statuses in which an execution is over."""

SILENCE = 60.0
"""Seconds without an event after which a stream is connected anew: the silence may be that of a dead connection."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Client(Records):
    """The flownb API of the server at ``url``, which is Jupyter's base URL; may be used from several threads.

    ``root`` is the server's root folder where that is on this machine; ``own`` says that it has started this process,
    as servers start kernels. Every call raises ``ApiError`` where the server refuses and ``NoServer`` where none
    answers.
    """

    def __init__(self, url: str, token: str = "", root: Path | None = None, *, own: bool = False) -> None:
        self.url = f"{url.rstrip('/')}/"
        self.root = root
        self.own = own
        self._http = httpx.Client(
            base_url=f"{self.url}flownb/api/",
            headers={"Authorization": f"token {token}"} if token else {},
            mounts={f"all://{_bracketed(host)}": httpx.HTTPTransport() for host in LOOPBACK},  # past any proxy
            timeout=TIMEOUT,
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def health(self, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Whether flownb is at work there; ``timeout`` in seconds."""
        return self._object("GET", "health", timeout=timeout)

    def start(self, notebook: str | os.PathLike[str], data: Any = None) -> dict[str, Any]:
        """Start an execution of a notebook, by its path here or else as the server names it; gives the execution."""
        return self._object("POST", "executions", json={"notebook": self._path(notebook), "data": data})

    def emit(self, event: str, data: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """Tell of a named event: ``{"event", "repeated", "resumed"}``, the last are ids of executions that go on by it.

        The same ``key`` again is the same event, and wakes nobody.
        """
        return self._object("POST", "events", json={"event": event, "data": data, "key": key})

    def executions(
        self,
        *,
        status: str | None = None,
        workflow: str | None = None,
        kind: str | None = None,
        search: str | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> dict[str, Any]:
        """``{"executions": [...], "next": id or None}``, newest first; ``before`` takes the ``next`` of a page.

        ``kind`` is that of the pause they wait in; ``search`` is text in their id, workflow or notebook.
        """
        asked = {
            "status": status,
            "workflow": workflow,
            "kind": kind,
            "search": search,
            "limit": limit,
            "before": before,
        }
        return self._object("GET", "executions", params={key: value for key, value in asked.items() if value})

    def execution(self, execution_id: str) -> dict[str, Any]:
        """One execution."""
        return self._object("GET", one(execution_id))

    def delete(self, execution_id: str) -> None:
        """Forget an execution that is over."""
        self._call("DELETE", one(execution_id))

    def notebook(self, execution_id: str) -> dict[str, Any]:
        """The executed notebook, with all outputs so far."""
        return self._object("GET", one(execution_id, "notebook"))

    def resume(self, execution_id: str, data: Any = None, **signed: str | None) -> dict[str, Any]:
        """Resume what waits; ``data`` becomes the ``body`` of its ``$resume_data``. Gives what the server says.

        ``pause`` names the pause that is meant, by its id in ``waiting``; ``by``, ``comment`` and ``shown``, the digest
        of what was seen, go into the record.
        """
        return self._object("POST", one(execution_id, "resume"), json={"data": data, **signed})

    def cancel(self, execution_id: str, **signed: str | None) -> dict[str, Any]:
        """Cancel an execution, with words as ``resume`` takes them. Gives what the server says."""
        return self._object("POST", one(execution_id, "cancel"), json=signed)

    def postpone(self, execution_id: str, later: str, **signed: str | None) -> dict[str, Any]:
        """Put the deadline of what waits off, by a time like ``"1d"``, with words as ``resume`` takes them."""
        return self._object("POST", one(execution_id, "postpone"), json={"for": later, **signed})

    def decide_many(
        self, action: Literal["resume", "cancel"], executions: Sequence[str | dict[str, Any]], **signed: str | None
    ) -> list[dict[str, Any]]:
        """Resume or cancel executions, given as ids or as ``{"id", "pause"}``.

        Gives ``{"id", "code", "status", ...}`` for each, with the code that it would be answered alone.
        """
        answer = self._object("POST", f"executions/{action}", json={"executions": list(executions), **signed})
        return list(answer["executions"])

    def journal(self, execution_id: str) -> list[dict[str, Any]]:
        """What happened to an execution, oldest first."""
        return list(self._object("GET", one(execution_id, "journal"))["entries"])

    def replay(
        self, execution_id: str, step: str | None = None, *, latest: bool = False, force: bool = False
    ) -> dict[str, Any]:
        """Start a new execution that keeps the results of the steps before ``step``; None is the first.

        ``latest`` takes the notebook as it is now; ``force`` bears that earlier steps changed in it.
        """
        asked = {"from": step, "version": "latest" if latest else "same", "force": force}
        return self._object("POST", one(execution_id, "replay"), json=asked)

    def open(self, execution_id: str, step: str | None = None) -> dict[str, Any]:
        """A live kernel with the variables as ``step`` left them, None for now: ``{"kernel_id", "path"}``.

        Takes its time, as large variables do.
        """
        return self._object("POST", one(execution_id, "open"), json={"step": step}, timeout=PATIENT)

    def continue_(self, execution_id: str, data: Any = None, *, replay: bool = False) -> dict[str, Any]:
        """Go on from the variables in the kernel that was opened last, as ``pd.continue_`` does there.

        Gives ``{"execution", "status", "message"}``: with ``replay``, and where no pause was opened, a new execution.
        """
        asked = {"data": data, "replay": replay}
        return self._object("POST", one(execution_id, "continue"), json=asked, timeout=PATIENT)

    def outbox(self, *, limit: int = 500) -> list[dict[str, Any]]:
        """Messages to people, newest first, with what became of each."""
        return list(self._object("GET", "outbox", params={"limit": limit})["messages"])

    def deploy(
        self,
        notebook: str | os.PathLike[str],
        name: str | None = None,
        *,
        dry_run: bool = False,
        by: str | None = None,
    ) -> dict[str, Any]:
        """Put a notebook to work under a name, its own unless given; gives the workflow, ``warnings`` and ``diff``.

        With ``dry_run`` it only says what would be deployed. ``by`` goes into the record where the login has no name.
        """
        asked = {"notebook": self._path(notebook), "dry_run": dry_run, "by": by}
        return self._object("PUT" if name else "POST", _workflow(name) if name else "workflows", json=asked)

    def undeploy(self, name: str) -> None:
        """The workflow starts nothing any more; what runs or waits goes on."""
        self._call("DELETE", _workflow(name))

    def roll_back(self, name: str, number: int | None = None, by: str | None = None) -> dict[str, Any]:
        """Make an earlier version current again, the one before unless its number is given; gives the workflow."""
        return self._object("POST", _workflow(name, "rollback"), json={"number": number, "by": by})

    def replace_hook(self, name: str) -> dict[str, Any]:
        """Give a workflow a new hook URL: the old one answers 404 from then on. Gives the workflow."""
        return self._object("POST", _workflow(name, "hook"), json={})

    def workflow(self, name: str) -> dict[str, Any]:
        """One deployed workflow."""
        return self._object("GET", _workflow(name))

    def workflows(self, *, every: bool = False) -> list[dict[str, Any]]:
        """What is deployed; with ``every`` also what was."""
        params = {"all": "true"} if every else {}
        return list(self._object("GET", "workflows", params=params)["workflows"])

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All versions of a workflow, the latest first."""
        return list(self._object("GET", _workflow(name, "versions"))["versions"])

    def diff(self, name: str, old: int, new: int) -> dict[str, Any]:
        """What changed from one version of a workflow to another; 0 stands for an empty notebook."""
        return self._object("GET", _workflow(name, "versions", str(new), "diff"), params={"from": old})

    def migrate(
        self, execution_id: str, version: int | None = None, *, dry_run: bool = False, **signed: str | None
    ) -> dict[str, Any]:
        """Move a paused execution to a version, the latest unless its number is given.

        Gives ``{"execution", "warnings", "diff"}``; with ``dry_run`` it only says what would change.
        """
        asked = {"version": version, "dry_run": dry_run, **signed}
        return self._object("POST", one(execution_id, "migrate"), json=asked)

    def stores(self) -> list[dict[str, Any]]:
        """All data stores, by name, with their ``keys`` and ``bytes``."""
        return list(self._object("GET", "data")["stores"])

    def store(self, name: str, *, prefix: str = "", after: str = "", limit: int = 50) -> dict[str, Any]:
        """What a data store has, by key: ``{"name", "keys", "bytes", "items", "next"}``; ``next`` is for ``after``."""
        return self._object("GET", _data(name), params={"prefix": prefix, "after": after, "limit": limit})

    def value(self, name: str, key: str) -> dict[str, Any]:
        """A value of a data store: ``{"key", "value", "bytes", "revision", "changed_at", "expires_at"}``."""
        return self._object("GET", _data(name, key))

    def keep(self, name: str, key: str, value: Any, ttl: float | None = None) -> dict[str, Any]:
        """Keep a value, for ``ttl`` seconds or for ever; gives it as ``value`` does."""
        return self._object("PUT", _data(name, key), json={"value": value, "ttl": ttl})

    def forget(self, name: str, key: str | None = None) -> None:
        """Delete a key, or all keys of a data store."""
        self._call("DELETE", _data(name, *([key] if key is not None else [])))

    def secrets(self) -> list[dict[str, Any]]:
        """The secrets that deployed workflows need: ``{"name", "there", "workflows"}``."""
        return list(self._object("GET", "secrets")["secrets"])

    def start_workflow(self, name: str, data: Any = None, *, trigger: str = "api") -> dict[str, Any]:
        """Start an execution of a deployed workflow; gives the execution. ``trigger`` is "api" or "emit"."""
        return self._object("POST", "executions", json={"workflow": name, "data": data, "trigger": trigger})

    def run_now(self, workflow: str, data: Any = None) -> dict[str, Any]:
        """Start a workflow as its schedule does; gives the execution."""
        return self._object("POST", f"workflows/{quote(workflow, safe='')}/run", json={"data": data})

    def errors(self, *, workflow: str | None = None, since: str | None = None, limit: int = 50) -> dict[str, Any]:
        """``{"since": ..., "errors": [...]}``, equal errors in one; ``since`` is a span like ``"24h"`` or a time."""
        asked = {"workflow": workflow, "since": since, "limit": limit}
        return self._object("GET", "errors", params={key: value for key, value in asked.items() if value})

    def drain(self, on: bool = True) -> dict[str, Any]:
        """Have the server admit nothing new, or admit again."""
        return self._object("POST", "drain", json={"on": on})

    def doctor(self, python: str | None = None) -> dict[str, Any]:
        """Which executions the interpreter at that path would strand, or those of the kernelspecs; takes its time."""
        return self._object("POST", "doctor", json={"python": python}, timeout=PATIENT)

    def events(self, patience: float | None = None) -> Events:
        """The changes of all executions from now on; close it, or use it in a ``with`` block.

        ``patience``: seconds for which a server that goes away is waited for, 30 unless given.
        """
        return Events(self._stream, patience)

    def follow(self, execution_id: str) -> Iterator[dict[str, Any]]:
        """The execution as it stands, and again after every change, until it is over."""
        with self.events() as changes:
            found = self.execution(execution_id)
            yield found
            while found["status"] not in FINAL:
                if next(changes)["execution"] == execution_id:
                    found = self.execution(execution_id)
                    yield found

    def _path(self, notebook: str | os.PathLike[str]) -> str:
        path = Path(notebook)
        if self.root is None or not path.resolve().is_relative_to(self.root.resolve()):
            return path.as_posix()
        return path.resolve().relative_to(self.root.resolve()).as_posix()

    def _object(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        found = self._call(method, path, **arguments)
        assert isinstance(found, dict)
        return found

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise self._no_server(error) from None
        self._check(response)
        return response.json() if response.content else None

    def _stream(self, last: str | None) -> httpx.Response:
        request = self._http.build_request(
            "GET",
            "events",
            headers={"Last-Event-ID": last} if last is not None else {},
            timeout=httpx.Timeout(TIMEOUT, read=SILENCE),
        )
        try:
            response = self._http.send(request, stream=True)
            if not response.is_success:
                response.read()
        except httpx.TransportError as error:
            raise self._no_server(error) from None
        self._check(response)
        return response

    def _no_server(self, error: httpx.TransportError) -> NoServer:
        return NoServer(f"the server at {self.url} does not answer ({error}): is it running, and is the address right?")

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        if response.status_code in (401, 403) and not _decided(response):
            message = f"the server at {self.url} refuses (HTTP {response.status_code}): is the token right?"
            raise ApiError(message, "forbidden", response.status_code)
        try:
            said = response.json()
            raise ApiError(said["message"], said.get("reason") or "error", response.status_code, said)
        except (ValueError, LookupError, TypeError):
            message = f"{self.url} has no flownb API (HTTP {response.status_code}): is flownb installed there?"
            raise ApiError(message, "no_api", response.status_code) from None


def _decided(response: httpx.Response) -> bool:
    """Whether a refusal is one of the rules, to somebody who may use the API."""
    try:
        return "status" in response.json()
    except (ValueError, TypeError):
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _workflow(name: str, *more: str) -> str:
    return "/".join(["workflows", quote(name, safe=""), *more])


def _data(*names: str) -> str:
    return "/".join(["data", *(quote(name, safe="") for name in names)])
