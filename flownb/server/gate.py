"""What all public URLs share, on both listeners: from whom a request is, and how often it may come."""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest
from tornado.iostream import SSLIOStream

from flownb.core.errors import FlowNBError
from flownb.core.links import fingerprint
from flownb.core.proxies import Proxies, Sender, household
from flownb.core.rates import Rates
from flownb.server.clock import Clock


class TooOften(FlowNBError):
    """More requests than one address may send, or one link is for."""

    reason = "too_often"

    def __init__(self, wait: int) -> None:
        super().__init__("too many requests: nothing was done")
        self.seconds = -(-wait // 1000)


class Gate:
    """``address_rate`` and ``link_rate`` in requests a second, 0 for no limit."""

    def __init__(self, clock: Clock, address_rate: float, link_rate: float) -> None:
        self._clock = clock
        self._addresses = Rates(address_rate)
        self._links = Rates(link_rate)

    def count(self, request: HTTPServerRequest, secret: str | None = None) -> None:
        """A request, and which link's it is; raises ``TooOften``."""
        now = self._clock.now()
        wait = self._addresses.wait(household(request.remote_ip or ""), now)
        if not wait and secret is not None:
            wait = self._links.wait(fingerprint(secret), now)
        if wait:
            raise TooOften(wait)


def put_right(request: HTTPServerRequest, proxies: Proxies) -> None:
    """Let ``remote_ip`` and ``protocol`` be those of its sender, whatever tornado has made of the headers."""
    connection = request.connection
    address = connection.context.address  # type: ignore[union-attr]
    secure = isinstance(connection.stream, SSLIOStream)  # type: ignore[union-attr]
    # On a Unix socket there is no address; tornado says this then, too.
    peer = Sender(address[0] if isinstance(address, tuple) else "0.0.0.0", "https" if secure else "http")  # noqa: S104
    headers = request.headers
    sender = proxies.sender(peer, headers.get("X-Forwarded-For", ""), headers.get("X-Forwarded-Proto", ""))
    request.remote_ip, request.protocol = sender.ip, sender.protocol
