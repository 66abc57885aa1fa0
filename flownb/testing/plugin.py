"""The pytest plugin. It imports what it needs when a test asks for the fixture, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flownb.testing.servers import Servers
    from flownb.testing.workflows import Workflows

SETTINGS = "flownb_settings"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(SETTINGS, "Settings of the server for workflows, as on its command line.", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{SETTINGS}(*settings): more settings of the server for this test's workflows.")


@pytest.fixture(scope="session")
def flownb_environment() -> dict[str, str]:
    """Variables that servers and kernels have in their environment; override it to add some."""
    return {}


@pytest.fixture(scope="session")
def _flownb_servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    from flownb.testing.servers import Servers

    servers = Servers(pytestconfig.rootpath)
    yield servers
    servers.close()


@pytest.fixture
def flownb(
    request: pytest.FixtureRequest, _flownb_servers: Servers, flownb_environment: dict[str, str]
) -> Iterator[Workflows]:
    """Runs notebooks as workflows, on a server that the tests of the session share."""
    from flownb.testing.workflows import Workflows

    more = [setting for mark in request.node.iter_markers(SETTINGS) for setting in mark.args]
    settings = (*request.config.getini(SETTINGS), *more)
    serve = partial(_flownb_servers.serve, settings=settings, environment=flownb_environment)
    workflows = Workflows(serve, request.path.parent, request.config.rootpath)
    yield workflows
    workflows.close()
