"""A page of JupyterLab, as somebody has it before them who works in it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from flownb.testing.server import PATIENCE
from tests.support.server import TOKEN, Server

SETTINGS = ("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True")
"""Of a server for these pages: tests may give JupyterLab and Notebook 7 their commands."""

QUIET = {"notification": {"fetchNews": "false", "checkForUpdates": False}}
"""No questions about news, by plug-in of ``@jupyterlab/apputils-extension``."""

READY = """async () => {
    const panel = window.jupyterapp && [...window.jupyterapp.shell.widgets("main")][0];
    if (!panel || !panel.sessionContext) return false;
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session && panel.sessionContext.session.kernel;
    return kernel && kernel.connectionStatus === "connected" && kernel.status === "idle";
}"""

ADD_AND_RUN = """async source => {
    const notebook = [...window.jupyterapp.shell.widgets("main")][0].content;
    notebook.activeCellIndex = notebook.widgets.length - 1;
    await window.jupyterapp.commands.execute("notebook:insert-cell-below");
    notebook.activeCell.model.sharedModel.setSource(source);
    window.jupyterapp.commands.execute("notebook:run-cell");
}"""


def quiet(server: Server, folder: Path) -> Server:
    """The server, not started yet, whose JupyterLab asks nobody anything; ``folder`` is for its settings."""
    kept = folder / "@jupyterlab" / "apputils-extension"
    kept.mkdir(parents=True)
    for name, settings in QUIET.items():
        (kept / f"{name}.jupyterlab-settings").write_text(json.dumps(settings))
    server.environment["JUPYTERLAB_SETTINGS_DIR"] = str(folder)
    return server


class Lab:
    """JupyterLab in a browser of its own, with one notebook open."""

    address = "doc/workspaces/{workspace}/tree/{path}"

    def __init__(self, browser: Browser, server: Server, path: str) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page: Page = self.context.new_page()
        address = self.address.format(workspace=uuid4().hex, path=quote(path))
        self.page.goto(f"http://127.0.0.1:{server.port}/{address}?token={TOKEN}")
        server.until(lambda: self.page.evaluate(READY))  # wait_for_function would not wait for what it promises

    def command(self, name: str) -> None:
        """Give JupyterLab one of its commands."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name) }", name)

    def run_all(self) -> None:
        """Run all cells of the notebook."""
        self.command("notebook:run-all-cells")

    def run_below(self, source: str) -> Locator:
        """Write one more cell, run it, and give the place where its outputs come."""
        self.page.evaluate(ADD_AND_RUN, source)
        return self.page.locator(".jp-CodeCell").last.locator(".jp-Cell-outputArea")

    def close(self) -> None:
        """Leave, as somebody who shuts their browser."""
        self.context.close()


class Notebook7(Lab):
    """Notebook 7, which is made of the same parts."""

    address = "notebooks/{path}"
