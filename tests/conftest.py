"""Servers for tests: real processes, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateways import TOKEN, Process, configured
from tests.support.modes import MODES, server_in_mode
from tests.support.server import BEHIND, Server

pytest_plugins = ["pytester"]

MakeServer = Callable[..., Server]

FIRST = ("test_notebooks.py", "server", "browser", "cli", "authoring", "widgets", "bridge", "soak")
LAST = ("client", "store", "core")
"""Folders and files whose tests come first, in this order, and last: what is slow must not be begun in the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Workers take files as they are collected, so that those of a folder share what is made once for it."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate((*FIRST, "", *LAST))}
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        inside = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        return places.get(inside, len(FIRST))

    items.sort(key=place)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kernels", choices=["local", "gateway"], default="local", help="where servers have their kernels"
    )


@pytest.fixture(scope="session", autouse=True)
def kernels(request: pytest.FixtureRequest) -> None:
    """All servers have their kernels on one gateway, where that was asked for."""
    if request.config.getoption("--kernels") == "gateway" and not BEHIND:
        process: Process = request.getfixturevalue("gateway")()
        BEHIND.append(configured(process.folder, {"url": process.url, "token": TOKEN}))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes folders with short names: the path of a Unix socket is limited."""
    base = tmp_path_factory.getbasetemp()
    numbers = iter(range(100_000))

    def make() -> Path:
        folder = base / f"r{next(numbers)}"
        folder.mkdir()
        return folder

    return make


@pytest.fixture(scope="session")
def shared_server(folders: Callable[[], Path]) -> Iterator[Server]:
    """A server for all tests that leave it as it was; its clock is moved by none."""
    server = Server(folders()).start()
    yield server
    server.close()


@pytest.fixture(scope="module", params=MODES)
def each_server(request: pytest.FixtureRequest, folders: Callable[[], Path]) -> Iterator[Server]:
    """A server of one module, in each mode."""
    server = server_in_mode(request.param, folders()).start()
    yield server
    server.close()


@pytest.fixture(scope="module", params=MODES)
def timed_server(request: pytest.FixtureRequest, folders: Callable[[], Path]) -> Iterator[Server]:
    """A server of one module, in each mode, whose clock its tests move forward."""
    server = server_in_mode(request.param, folders(), moving_clock=True).start()
    yield server
    server.close()


@pytest.fixture
def make_server(folders: Callable[[], Path]) -> Iterator[MakeServer]:
    """Makes servers for one test alone, not started yet."""
    made: list[Server] = []

    def make(*settings: str, root: Path | None = None, **options: Any) -> Server:
        made.append(Server(root or folders(), *settings, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def gateway(folders: Callable[[], Path]) -> Iterator[Callable[[], Process]]:
    """A kernel gateway for all tests that leave it running; started when it is first asked for."""
    made: list[Process] = []

    def running() -> Process:
        if not made:
            made.append(Process(folders()).start().wait())
        return made[0]

    yield running
    for process in made:
        process.kill()
