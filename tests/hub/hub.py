"""A JupyterHub with its proxy, as the docs configure it, on loopback; and people who log in to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import FRONT_ENDS, LITTLE, PATIENCE, REPOSITORY, free_port

PAGE = REPOSITORY / "docs" / "deploy" / "jupyterhub.md"
LOCAL = """
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = {folder!r} + "/proxy.pid"
c.JupyterHub.db_url = "sqlite:///" + {folder!r} + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = {folder!r} + "/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {folder!r} + "/home/{{username}}"
c.Spawner.args = {args!r}
c.Spawner.environment = {{"PYTHONPATH": {repository!r}}}
c.JupyterHub.services[0]["command"] += {args!r}
c.JupyterHub.services[0]["environment"] = {{"PYTHONPATH": {repository!r}}}
"""
"""What is of this machine alone, after what the docs say."""


def documented(name: str) -> str:
    """The examples of the page that are part of the file of that name, and those of the Hub that name none."""
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return "\n".join(block for block in blocks if block.startswith("# ") and name in block.splitlines()[0])


def _environment() -> dict[str, str]:
    """The Hub finds what it starts, as in an environment that was activated."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return {**os.environ, "PATH": path}


class Hub:
    """The Hub's process; the proxy and the servers are its children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}/"
        self.team = folder / "notebooks"
        self.team.mkdir()
        (folder / "home").mkdir()
        self.log = folder / "hub.log"
        told = {"https://hub.example.org/": self.url, "127.0.0.1:10101": f"127.0.0.1:{free_port()}"}
        told |= {'"/srv/flownb': f'"{folder}', "=/srv/flownb": f"={folder}", '"user": "flownb"': '"user": ""'}
        extensions = dict.fromkeys(FRONT_ENDS, False)
        args = ["--allow-root", LITTLE, f"--ServerApp.jpserver_extensions={extensions}"]
        local = LOCAL.format(
            url=self.url,
            hub_port=free_port(),
            api_port=free_port(),
            folder=str(folder),
            args=args,
            repository=str(REPOSITORY),
        )
        for name, more in (("jupyterhub_config.py", local), ("jupyter_server_config.py", "")):
            text = documented(name) + more
            for there, here in told.items():
                text = text.replace(there, here)
            (folder / name).write_text(text)

    def start(self) -> Hub:
        command = [sys.executable, "-P", "-m", "jupyterhub", "-f", str(self.folder / "jupyterhub_config.py")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=_environment())
        self.until(lambda: "JupyterHub is now running" in self.log.read_text())
        return self

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def until(self, holds: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)
        return found


class Person:
    """A browser in which somebody has logged in to the Hub; ``place`` is a server's path, such as ``user/ann/``."""

    def __init__(self, hub: Hub, name: str, place: str) -> None:
        self.name = name
        self.place = f"/{place}"
        self.hub = hub
        self.http = httpx.Client(base_url=hub.url, follow_redirects=True, timeout=PATIENCE)
        self.http.get("hub/login", params={"next": "/hub/home"})
        xsrf = self.http.cookies.get("_xsrf", path="/hub/")
        login = {"username": name, "password": "any", "_xsrf": xsrf}
        assert self.http.post("hub/login?next=/hub/home", data=login).status_code == 200

    def start_server(self) -> None:
        """Ask the Hub for their own server, and wait for it."""
        self.http.get("hub/spawn")
        self.hub.until(lambda: self.look().url.path.startswith(self.place))

    def look(self, page: str = "flownb/") -> httpx.Response:
        """A page of the server, through whatever logins come before it."""
        return self.http.get(f"{self.place}{page}")

    def xsrf(self) -> str:
        return str(self.http.cookies.get("_xsrf", path=self.place))

    def api(self, method: str, path: str, **said: Any) -> httpx.Response:
        headers = {"X-XSRFToken": self.xsrf()}
        return self.http.request(method, f"{self.place}flownb/api/{path}", headers=headers, **said)

    def start(self, notebook: str) -> str:
        answer = self.api("POST", "executions", json={"notebook": notebook})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def wait(self, execution: str, status: str) -> dict[str, Any]:
        """The execution once it has that status."""

        def arrived() -> dict[str, Any] | None:
            found: dict[str, Any] = self.api("GET", f"executions/{execution}").json()
            over = found["status"] in ("succeeded", "failed", "cancelled")
            assert found["status"] == status or not over, json.dumps(found["error"])
            return found if found["status"] == status else None

        found: dict[str, Any] = self.hub.until(arrived)
        return found
