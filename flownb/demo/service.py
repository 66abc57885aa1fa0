"""The job service's HTTP side."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from flownb.core.errors import InvalidValue
from flownb.demo import HOST, NAME
from flownb.demo.jobs import Jobs, parse

LARGEST = 1_000_000
"""Bytes that a request may have."""


class Handler(RequestHandler):
    """Answers in JSON, errors included, and notes when the service was last used."""

    def initialize(self, service: Service) -> None:
        self.service = service

    def prepare(self) -> None:
        self.service.used = time.monotonic()

    def fail(self, code: int, message: str) -> None:
        self.set_status(code)
        self.finish({"message": message})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.fail(status_code, "this address is POST /jobs, GET /jobs/ID or GET /")


class Root(Handler):
    """Says who is here."""

    def get(self) -> None:
        self.finish({"service": NAME})


class NewJob(Handler):
    """``{"seconds": 2, "callback_url": optional, "result": any, "fail": optional}`` starts a job."""

    def post(self) -> None:
        try:
            job = self.service.jobs.start(parse(self.request.body))
        except InvalidValue as error:
            self.fail(400, str(error))
            return
        self.set_status(201)
        self.set_header("Location", f"/jobs/{job.id}")
        self.finish(job.view())


class OneJob(Handler):
    """How far a job is."""

    def get(self, job_id: str) -> None:
        job = self.service.jobs.get(job_id)
        if job is None:
            self.fail(404, f"there is no job {job_id!r}")
        else:
            self.finish(job.view())


class Missing(Handler):
    """Everything else."""

    def prepare(self) -> None:
        self.write_error(404)


class Service:
    """Listens on loopback until nobody has used it for ``idle`` seconds and no job runs."""

    def __init__(self, idle: float) -> None:
        self.jobs = Jobs()
        self.used = time.monotonic()
        self._idle = idle

    async def run(self, port: int) -> None:
        """Serve; raises ``OSError`` where the port is taken."""
        arguments = {"service": self}
        routes = [(r"/", Root, arguments), (r"/jobs", NewJob, arguments), (r"/jobs/([^/]+)", OneJob, arguments)]
        application = Application([*routes, (r"/.*", Missing, arguments)])
        server = HTTPServer(application, max_body_size=LARGEST, max_buffer_size=LARGEST)
        server.listen(port, HOST)
        await self._disuse()
        server.stop()

    async def _disuse(self) -> None:
        """Until nobody has come for long enough."""
        while True:
            await self.jobs.all_done()
            left = self.used + self._idle - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)
