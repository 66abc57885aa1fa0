"""``python -m flownb.demo``: run the job service."""

from __future__ import annotations

import argparse
import asyncio
import logging
from contextlib import suppress

from flownb.demo import HOST, PORT
from flownb.demo.service import Service

IDLE = 15 * 60.0
"""Seconds without a request and without a job after which the service ends."""

DESCRIPTION = """A small job service on this machine's loopback address.
POST /jobs {"seconds": 2, "callback_url": "http://...", "result": "any JSON"} starts a job, GET /jobs/ID says how far
it is; when it is done, its outcome is POSTed to callback_url."""


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m flownb.demo", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on, {PORT} unless given")
    port = parser.parse_args().port
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    logging.getLogger("flownb.demo").info("the job service is at http://%s:%d", HOST, port)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(Service(IDLE).run(port))
    except OSError as error:
        parser.exit(1, f"port {port} cannot be used: {error.strerror}\n")


if __name__ == "__main__":
    main()
