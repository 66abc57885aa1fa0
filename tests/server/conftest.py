"""What several modules of this folder begin with."""

from __future__ import annotations

import pytest

from tests.support.opened import CELLS
from tests.support.server import Server


@pytest.fixture
def waiting(shared_server: Server) -> str:
    """An execution that waits in a suspend."""
    execution = shared_server.run(*CELLS)
    shared_server.wait(execution, "suspended")
    return execution
