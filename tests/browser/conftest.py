"""A real browser for tests, and a place for the pictures that they take."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.server import REPOSITORY

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
ASKED = "FLOWNB_SCREENSHOTS"
"""Set in the environment where the pictures of the documentation are to be made anew."""

Shoot = Callable[[Page, str], Path]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; of one module, for as long as it runs no other test of the process can use asyncio."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Shoot:
    """Takes a picture of a whole page, under a name; among the documentation's if that is asked for."""
    folder = REPOSITORY / "docs" / "images" if os.environ.get(ASKED) == "1" else tmp_path_factory.mktemp("images")
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return shoot
