"""papermill: a whole notebook, in its own process; with its defaults, or without a save after every cell."""

from __future__ import annotations

import time

import papermill

from benchmarks.peers.line import serve


def whole(notebook: str, target: str, save_each: bool) -> float:
    """Milliseconds of ``execute_notebook``, which writes the executed notebook."""
    fewer = {} if save_each else {"autosave_cell_every": 0, "request_save_on_cell_execute": False}
    began = time.perf_counter()
    papermill.execute_notebook(notebook, target, progress_bar=False, **fewer)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    serve(whole=whole)
