"""``openapi.yaml`` is true: it names every route, and a fuzzer finds no answer that it does not name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tornado.web import RequestHandler

from flownb.server import api
from flownb.server.api_open import OpenedHandler
from flownb.server.description import DESCRIPTION
from tests.conftest import MakeServer
from tests.support.notebooks import write
from tests.support.opened import CELLS
from tests.support.server import TOKEN, Server

LONG = [pytest.mark.slow, pytest.mark.timeout(1_200)]
METHODS = ("get", "post", "put", "patch", "delete")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def described() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return found


def plain(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{\w+\}|\(\[\^/\]\+\)", "{}", path).replace("\\", "")


def spelled(route: str) -> list[str]:
    """A path for each action that may stand in it."""
    return [route.replace("(resume|cancel)", action) for action in ("resume", "cancel")]


def test_every_route_of_the_api_is_described_with_all_its_methods() -> None:
    routes = api.routes(None, 1)  # type: ignore[arg-type]
    served = {
        (plain(path), method)
        for route, handler, _ in routes
        if handler not in (api.UnknownHandler, OpenedHandler)
        for path in spelled(route)
        for method in METHODS
        if getattr(handler, method) is not RequestHandler._unimplemented_method
    }
    said = {
        (plain(path), method)
        for path, entry in described()["paths"].items()
        if "/api/" in path or path.endswith(".yaml")
        for method in METHODS
        if method in entry
    }
    assert said == served


def test_the_description_is_served_with_the_address_of_the_server(shared_server: Server) -> None:
    answer = shared_server.http.get(shared_server.api.replace("/api", "/openapi.yaml"))
    assert answer.headers["Content-Type"] == "application/yaml"
    found = yaml.safe_load(answer.text)
    assert found["servers"][0]["variables"]["base_url"]["default"] == f"http://127.0.0.1:{shared_server.port}"
    assert found["paths"].keys() == described()["paths"].keys()


def known(server: Server, folder: Path) -> Path:
    """The description with ids and secrets in it that there are."""
    suspended, ended = server.run(*CELLS), server.run("1")
    waiting = server.wait(suspended, "suspended")["waiting"]
    server.wait(ended, "succeeded")
    write(server.root, "flow.ipynb", "1")
    deployed = server.http.put("/workflows/flow", json={"notebook": "flow.ipynb"}).json()
    found = described()
    parameters = found["components"]["parameters"]
    parameters["id"]["schema"]["enum"] = [suspended, ended, "nobody"]
    parameters["name"]["schema"]["enum"] = ["flow", "nobody"]
    parameters["token"]["schema"]["enum"] = [waiting["review_url"].rpartition("/")[2], "unknown"]
    parameters["hook"]["schema"]["enum"] = [deployed["hook_url"].rpartition("/")[2], "unknown"]
    del found["paths"]["/flownb/api/executions/import"]  # of files that a fuzzer cannot make
    del found["paths"]["/flownb/api/events"]["get"]  # which has no end
    path = folder / "openapi.yaml"
    path.write_text(yaml.safe_dump(found))
    return path


@pytest.mark.parametrize(
    ("phases", "examples"), [("examples,fuzzing", 2), pytest.param("examples,coverage,fuzzing", 50, marks=LONG)]
)
def test_a_fuzzer_finds_no_error_of_ours_and_no_answer_that_is_not_described(
    make_server: MakeServer, tmp_path: Path, phases: str, examples: int
) -> None:
    server = make_server().start()
    command = ["run", str(known(server, tmp_path)), f"--url=http://127.0.0.1:{server.port}"]
    options = [f"--checks={','.join(CHECKS)}", f"--phases={phases}", f"--max-examples={examples}", "--seed=1"]
    tool = Path(sys.executable).with_name("schemathesis")
    ran = subprocess.run(
        [str(tool), *command, *options, f"--header=Authorization: token {TOKEN}", "--no-color"],
        capture_output=True,
        text=True,
        timeout=1_100,
    )
    assert ran.returncode == 0, ran.stdout[-6000:]
