"""One fork server for all tests that leave it as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from flownb.bridge.forkservers import PRELOAD, ForkServers
from tests.bridge.forks import serving


@pytest.fixture(scope="session")
def servers() -> Iterator[ForkServers]:
    """Their preload list is the usual one."""
    made = ForkServers()
    assert asyncio.run(serving(made, PRELOAD)).refused is None
    yield made
    made.close()
