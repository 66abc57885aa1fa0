"""How others reach this server without a login: the settings of the public URLs and of their own listener."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Float, Int, List, TraitError, Unicode, validate
from traitlets.config import Configurable

from flownb.core.errors import InvalidValue
from flownb.core.proxies import Proxies


class Exposure(Configurable):
    """A part of the extension's settings."""

    public_url = Unicode(
        "", help="The address under which others reach this server, with its base URL; empty for what the server knows."
    ).tag(config=True)
    confirm_links = Bool(
        False, help="A resume or cancel link that is merely opened (GET) asks for a confirmation first."
    ).tag(config=True)
    trusted_proxies = List(
        Unicode(), [], help="Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count."
    ).tag(config=True)
    address_rate = Float(
        50.0,
        min=0.0,
        help="Requests a second that one address may send to links, after ten seconds' worth at once; 0 for no limit.",
    ).tag(config=True)
    link_rate = Float(
        20.0,
        min=0.0,
        help="Requests a second that may come to one link, after ten seconds' worth at once; 0 for no limit.",
    ).tag(config=True)
    callback_port = Int(
        0, min=0, max=65535, help="Port of a second listener that serves the public URLs alone; 0 for none."
    ).tag(config=True)
    callback_ip = Unicode("localhost", help="Address that the second listener listens on.").tag(config=True)
    callback_connections = Int(1000, min=1, help="Connections that the second listener has at the same time.").tag(
        config=True
    )
    callback_address_connections = Int(
        100, min=1, help="Of these, those from one address that is no trusted proxy's."
    ).tag(config=True)
    callback_header_bytes = Int(
        16 * 1024, min=1024, help="Largest head of a request to the second listener, in bytes."
    ).tag(config=True)
    callback_header_seconds = Float(
        15.0,
        min=0.1,
        help="Seconds within which the head of a request is there, from the connection or the answer before it.",
    ).tag(config=True)
    callback_body_seconds = Float(60.0, min=0.1, help="Seconds within which the body is there.").tag(config=True)

    @validate("trusted_proxies")
    def _networks(self, proposal: Any) -> list[str]:
        try:
            Proxies.of(proposal["value"])
        except InvalidValue as error:
            raise TraitError(f"FlowNB.trusted_proxies: {error}") from None
        return list(proposal["value"])
