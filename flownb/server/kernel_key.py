"""The keys by which kernels reach the server: each is good for one execution, while its segment runs."""

from __future__ import annotations

import hmac

from flownb.core.errors import FlowNBError
from flownb.core.links import data_token
from flownb.core.model import Status
from flownb.store.engine import Database
from flownb.store.keys import Key


class NotRunning(FlowNBError):
    """The key is none, or that of an execution which does not run now."""

    reason = "forbidden"


def shown_key(authorization: str) -> str:
    """The key in a request's header."""
    return authorization.removeprefix("Bearer ")


def proven(key: Key, shown: str) -> tuple[str, int]:
    """The execution and its segment that a key was made for; raises ``NotRunning``."""
    execution, _, rest = shown.partition(".")
    segment, _, proof = rest.partition(".")
    number = int(segment) if segment.isascii() and segment.isdigit() and len(segment) < 10 else 0
    right = data_token(key.secret, execution, number)
    if not hmac.compare_digest(right.encode(), proof.encode(errors="surrogatepass")):
        raise NotRunning("this is no key of an execution that runs")
    return execution, number


def demand_running(db: Database, execution: str, segment: int) -> None:
    """Raises ``NotRunning`` unless that segment of the execution runs now."""
    running = "SELECT 1 FROM executions WHERE id = ? AND status = ? AND segments = ?"
    if db.execute(running, (execution, Status.RUNNING, segment)).fetchone() is None:
        raise NotRunning("the execution whose key this is does not run now")
