"""A service outside of flownb that counts every call: what a step has done there is done for good."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service:
    """Counts calls by path, each answered with how often its path has been called."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: Counter[str] = Counter()
        self._counting = threading.Lock()

    def call(self, path: str) -> int:
        with self._counting:
            self.calls[path] += 1
            return self.calls[path]


@contextmanager
def counting_service(seconds: float = 0) -> Iterator[Service]:
    """A service in threads of this process, which takes so long for each answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = str(service.call(self.path.removeprefix("/"))).encode()
            time.sleep(seconds)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True  # whoever called has been killed

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service = Service(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
