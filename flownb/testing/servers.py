"""The servers of one pytest session: started when a test needs one, and kept for the tests that follow."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from secrets import token_urlsafe

from flownb.testing.server import CLOCK, Server

SETTINGS = (
    '--ServerApp.jpserver_extensions={"flownb": True}',
    f"--FlowNB.clock_class={CLOCK}",
    "--FlowNB.runs_dir=",
)


class Servers:
    """Servers by what they are started with. None sees the user's own settings, so that no mail leaves the machine."""

    def __init__(self, root: Path) -> None:
        """``root`` is the root folder of all but those for notebooks elsewhere, which have the notebook's folder."""
        self._root = root
        # Not pytest's own folder: the path of a socket is limited to about 100 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="flownb-"))
        self._running: dict[tuple[object, ...], Server] = {}

    def serve(self, notebook: Path, settings: tuple[str, ...], environment: Mapping[str, str]) -> Server:
        """A server for that notebook, with more settings as on its command line and more variables to inherit."""
        root = self._root if notebook.is_relative_to(self._root) else notebook.parent
        asked = (root, settings, *sorted(environment.items()))
        if asked not in self._running:
            self._running[asked] = self._start(root, settings, environment)
        return self._running[asked]

    def _start(self, root: Path, settings: tuple[str, ...], environment: Mapping[str, str]) -> Server:
        beside = self._folder / str(len(self._running))
        data = f"--FlowNB.data_dir={beside}"
        server = Server(root, *SETTINGS, data, *settings, beside=beside, token=token_urlsafe(32))
        server.environment = {"JUPYTER_NO_CONFIG": "1", **environment}
        try:
            return server.start()
        except BaseException:
            server.close()
            raise

    def close(self) -> None:
        """End them all, and remove what they kept."""
        for server in self._running.values():
            server.close()
        shutil.rmtree(self._folder, ignore_errors=True)
