"""Notifications by Apprise, which knows Slack, Teams, ntfy, Telegram, mail and a hundred others by their URLs."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from flownb.server.sending import NotSent
from flownb.store.keys import Key
from flownb.store.outbox import Message, Status

MISSING = 'Apprise is not installed: pip install "flownb[notify]"'


class Notifier:
    """The services that are told; their URLs are secrets, and so known outside by a digest and their kind alone."""

    def __init__(self, urls: Sequence[str], key: Key) -> None:
        self._urls = {digest(key, url): url for url in urls}
        self.kinds = {channel: url.partition(":")[0] for channel, url in self._urls.items()}
        self.lacking = MISSING if urls and find_spec("apprise") is None else None

    def send(self, message: Message) -> None:
        """Tell a service. Blocks for seconds. Raises ``NotSent``."""
        url = self._urls.get(message.channel)
        if url is None:
            raise NotSent("the service is not set up any more", Status.FAILED)
        if self.lacking:
            raise NotSent(self.lacking, Status.KEPT)
        service = _service(url)
        if service is None:
            raise NotSent("Apprise does not understand the service's URL", Status.FAILED)
        title, body = message.content["subject"], message.content["text"]
        if not service.notify(title=_clean(title), body=_clean(body), body_format="text"):
            raise NotSent("the service did not take the message")


def digest(key: Key, url: str) -> str:
    """A name for a URL that tells nothing of it."""
    return hmac.digest(key.secret, f"flownb notify {url}".encode(errors="replace"), "sha256").hex()[:12]


@cache
def _service(url: str) -> Any:
    """Apprise's own object for a URL, None where it understands none."""
    import apprise

    # What Apprise logs may have the URL in it.
    log = logging.getLogger("apprise")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    service = apprise.Apprise()
    return service if service.add(url) else None


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()
