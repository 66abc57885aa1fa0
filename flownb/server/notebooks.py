"""The author's notebooks on disk. They are read, never written."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import suppress
from pathlib import Path, PurePosixPath

from jupyter_client.kernelspec import KernelSpecManager

from flownb.core.errors import FlowNBError, InvalidValue, NotebookError
from flownb.core.notebook import Workflow, read

MOST_BYTES = 100_000_000
MOST_OFFERED = 200
MOST_FOLDERS = 500
"""So many notebooks are offered to choose from, and so many folders are looked into for them."""


class NoSuchNotebook(FlowNBError):
    """There is no such file below the server's root folder."""

    reason = "not_found"


class Notebooks:
    """Notebooks below a root folder."""

    def __init__(self, root: Path, kernelspecs: KernelSpecManager) -> None:
        self.root = root.absolute()
        self._kernelspecs = kernelspecs

    async def workflow(self, path: str) -> tuple[str, Workflow]:
        """The path in the root folder's own terms and the workflow there.

        Raises ``NoSuchNotebook``, or ``NotebookError`` for what cannot be run here.
        """
        return await asyncio.to_thread(self._load, path)

    def folder(self, notebook: str, said: str) -> Path:
        """A folder that a notebook names relative to its own, which may be reached as a notebook may.

        Raises ``InvalidValue`` where it leaves the root folder.
        """
        folder = Path(os.path.normpath(self.root / PurePosixPath(notebook).parent / said))
        if not folder.is_relative_to(self.root) or "\0" in said:
            raise InvalidValue(f"the folder {said!r} is not in the server's root folder")
        return folder

    async def paths(self) -> list[str]:
        """Notebooks to choose from, those that lie highest first; not all where there are many."""
        return await asyncio.to_thread(self._paths)

    def _paths(self) -> list[str]:
        found: list[str] = []
        folders = deque([self.root])
        for _ in range(MOST_FOLDERS):
            if not folders or len(found) >= MOST_OFFERED:
                break
            with suppress(OSError):
                for entry in sorted(folders.popleft().iterdir()):
                    if entry.name.startswith(".") or entry.name == "node_modules":
                        continue
                    if entry.suffix == ".ipynb":
                        found.append(entry.relative_to(self.root).as_posix())
                    elif entry.is_dir() and not entry.is_symlink():
                        folders.append(entry)
        return found[:MOST_OFFERED]

    def _load(self, path: str) -> tuple[str, Workflow]:
        file = self._resolve(path)
        if file.stat().st_size > MOST_BYTES:
            raise NotebookError(f"{path} is larger than {MOST_BYTES:,} bytes")
        try:
            found = read(file.read_text(encoding="utf-8"))
            self.check_kernelspec(found.kernelspec)
        except UnicodeDecodeError:
            raise NotebookError(f"{path}: not a notebook: not UTF-8 text") from None
        except NotebookError as error:
            raise NotebookError(f"{path}: {error}", error.reason) from None
        return file.relative_to(self.root).as_posix(), found

    def _resolve(self, path: str) -> Path:
        """The file, which may be reached by a symbolic link, as in Jupyter itself, but not by ``..``."""
        file = Path(os.path.normpath(self.root / path.lstrip("/")))
        try:
            there = file.is_relative_to(self.root) and file.is_file()
            path.encode()
        except (OSError, ValueError):  # a name that the system cannot have, or that is no text
            there = False
        if not there:
            raise NoSuchNotebook(f"there is no notebook {path!r} in the server's root folder")
        return file

    def check_kernelspec(self, name: str) -> None:
        """Raises ``NotebookError`` where there is none of that name here, or it is not for Python."""
        specs = self._kernelspecs.find_kernel_specs()
        if name not in specs:
            there = ", ".join(sorted(specs)) or "none"
            raise NotebookError(f"there is no kernelspec {name!r} here, there is {there}", "kernelspec_missing")
        language = self._kernelspecs.get_kernel_spec(name).language
        if language.lower() != "python":
            raise NotebookError(f"the kernelspec {name!r} is for {language}: steps are Python")
