"""Connections from a kernel to the server that it belongs to."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
from hmac import compare_digest
from urllib.parse import SplitResult, unquote

SECONDS = 60.0
"""The server answers within that time."""


def connect(url: SplitResult, certificate: str | None) -> http.client.HTTPConnection:
    """Straight to the server, whatever proxies the environment names."""
    if url.scheme == "http+unix":
        return _OverUnixSocket(unquote(url.netloc))
    assert url.hostname is not None
    if url.scheme == "https":
        return _OverTls(url.hostname, url.port, certificate)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=SECONDS)


class _OverUnixSocket(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


class _OverTls(http.client.HTTPSConnection):
    """Where the server's own certificate is known, it is that one which counts, whoever signed it for which name."""

    def __init__(self, host: str, port: int | None, certificate: str | None) -> None:
        context = ssl.create_default_context()
        if certificate is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=SECONDS, context=context)
        self._certificate = certificate

    def connect(self) -> None:
        super().connect()
        shown = hashlib.sha256(self.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if self._certificate is not None and not compare_digest(shown, self._certificate):
            self.close()
            raise ssl.SSLError("the server shows another certificate than its own")
