"""Jobs that take some time, say how far they are, and tell somebody when they are done."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from flownb.core.errors import InvalidValue

log = logging.getLogger("flownb.demo")

LONGEST = 24 * 3600.0
"""Seconds that a job may take."""

KNOWN = ("seconds", "callback_url", "result", "fail")


@dataclass
class Job:
    """One job; ``status`` is ``RUNNING``, then ``DONE`` or ``FAILED``."""

    id: str
    seconds: float
    callback_url: str | None
    result: Any
    fails: bool
    status: str = "RUNNING"

    def view(self) -> dict[str, Any]:
        return {"id": self.id, "status": self.status, "result": self.result if self.status == "DONE" else None}


def parse(body: bytes) -> dict[str, Any]:
    """What a request for a job says, checked and complete; raises ``InvalidValue``."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidValue('the body is to be JSON, such as {"seconds": 2}') from None
    if not isinstance(asked, dict):
        raise InvalidValue("the body is to be a JSON object")
    if unknown := [key for key in asked if key not in KNOWN]:
        raise InvalidValue(f"unknown key {unknown[0]!r}: a job has {', '.join(KNOWN)}")
    seconds, callback_url, fails = asked.get("seconds", 2), asked.get("callback_url"), asked.get("fail", False)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST:
        raise InvalidValue(f"seconds is a number from 0 to {LONGEST:.0f}")
    if callback_url is not None and not _is_web_address(callback_url):
        raise InvalidValue("callback_url is an http or https address")
    if not isinstance(fails, bool):
        raise InvalidValue("fail is true or false")
    return {"seconds": seconds, "callback_url": callback_url, "result": asked.get("result"), "fails": fails}


def _is_web_address(url: object) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


class Jobs:
    """All jobs since the start, in memory."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def all_done(self) -> None:
        """Until no job runs and no callback is on its way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def start(self, asked: dict[str, Any]) -> Job:
        """Start a job; ``asked`` comes from ``parse``."""
        job = Job(id=str(next(self._numbers)), **asked)
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def _run(self, job: Job) -> None:
        await asyncio.sleep(job.seconds)
        job.status = "FAILED" if job.fails else "DONE"
        log.info("job %s: %s", job.id, job.status)
        if job.callback_url is not None:
            await _call_back(job, job.callback_url)


async def _call_back(job: Job, url: str) -> None:
    """Once, whatever comes of it. The address is not logged: it may hold a secret."""
    body = json.dumps(job.view())
    request = HTTPRequest(url, "POST", {"Content-Type": "application/json"}, body, follow_redirects=False)
    try:
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        log.info("job %s: the callback was answered with %d", job.id, response.code)
    except Exception as error:  # whatever an address and a network can raise
        log.warning("job %s: the callback failed: %s", job.id, type(error).__name__)
