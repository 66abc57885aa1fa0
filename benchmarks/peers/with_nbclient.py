"""nbclient: a whole notebook as its documentation runs one, and cells in a kernel that runs already."""

from __future__ import annotations

import asyncio
import time

import nbformat
from nbclient import NotebookClient

from benchmarks.peers.line import serve


def whole(notebook: str, target: str) -> float:
    """Milliseconds: read, execute, write."""
    began = time.perf_counter()
    found = nbformat.read(notebook, as_version=4)
    NotebookClient(found).execute()
    nbformat.write(found, target)
    return 1000 * (time.perf_counter() - began)


def each(notebook: str) -> float:
    """Milliseconds per cell, without the kernel's start."""
    return asyncio.run(_each(notebook))


async def _each(notebook: str) -> float:
    found = nbformat.read(notebook, as_version=4)
    client = NotebookClient(found)
    async with client.async_setup_kernel():
        await client.async_execute_cell(found.cells[0], 0)
        began = time.perf_counter()
        for place, cell in enumerate(found.cells[1:], 1):
            await client.async_execute_cell(cell, place)
        return 1000 * (time.perf_counter() - began) / (len(found.cells) - 1)


if __name__ == "__main__":
    serve(whole=whole, each=each)
