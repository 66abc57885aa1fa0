"""Gateways of our own: processes on loopback, as people start them."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from flownb.bridge.gateway import Access
from flownb.testing.server import free_port

TOKEN = "a-token-for-gateways"
PATIENCE = 60.0

KERNEL_GATEWAY = (sys.executable, "-m", "kernel_gateway", "--KernelGatewayApp.port_retries=0")
JUPYTER_SERVER = (
    *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port_retries=0"),
    '--ServerApp.jpserver_extensions={"flownb": False}',
)


class Process:
    """A gateway; kernels do not outlive it."""

    def __init__(self, folder: Path, command: tuple[str, ...] = KERNEL_GATEWAY, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._command = command
        self._environment = environment
        self.scheme = "http"
        self._tls: ssl.SSLContext | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Begin to start; ``wait`` for it."""
        tokens = {"KG_AUTH_TOKEN": TOKEN, "EG_AUTH_TOKEN": TOKEN, "JUPYTER_TOKEN": TOKEN}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment |= {
            "KG_LIST_KERNELS": "True",
            "KG_ENV_PROCESS_WHITELIST": "PYTHONPATH,HOME",
            "KG_PORT": str(self.port),
            **tokens,
            **self._environment,
        }
        with (self.folder / f"gateway-{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, f"--port={self.port}", "--ip=127.0.0.1"],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait(self) -> Process:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process is not None and self._process.poll() is None:
            with suppress(OSError):
                self.kernels()
                return self
            time.sleep(0.05)
        raise AssertionError((self.folder / f"gateway-{self.port}.log").read_text())

    def trusts(self, certfile: Path) -> Process:
        """It serves by TLS, with a certificate that is in this file."""
        self.scheme, self._tls = "https", ssl.create_default_context(cafile=certfile)
        return self

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def access(self, **more: Any) -> Access:
        headers = {"Authorization": f"token {TOKEN}"}
        return Access(**{"name": str(self.port), "url": self.url, "headers": headers, **more})

    def kernels(self) -> list[str]:
        """The ids of those that it runs."""
        request = urllib.request.Request(f"{self.url}/api/kernels", headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=5, context=self._tls) as answer:
            return [kernel["id"] for kernel in json.load(answer)]

    def signal(self, signum: int) -> None:
        assert self._process is not None
        self._process.send_signal(signum)

    def kill(self) -> None:
        """Without a word; its kernels end with it as they do where their machine goes down."""
        if self._process is not None:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
            self._process.kill()
            self._process.wait()
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
            self._process = None


def configured(folder: Path, *gateways: dict[str, Any]) -> str:
    """What starts a server with these: a command line takes no list of mappings."""
    file = folder / "gateways.py"
    file.write_text(f"get_config().FlowNB.gateways = {list(gateways)!r}\n")
    return f"--config={file}"


def until(there: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    for _ in range(1200):
        if there():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")
