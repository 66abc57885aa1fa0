"""Makes a fresh kernel ready for an execution."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import flownb
from flownb.kernel import environment, modules
from flownb.kernel.hooks import install
from flownb.kernel.ipython import shell
from flownb.kernel.parent import end_with_parent
from flownb.kernel.pd import pd
from flownb.kernel.process import note_path
from flownb.kernel.reply import Reply
from flownb.kernel.streams import flush_what_there_is

_may_lack_cwd = False
"""On another machine, the folder of the notebook may not be."""


def prepare(text: str) -> Reply:
    """Applies the JSON object ``text``: ``cwd``, ``environment``, ``memory_limit`` (bytes or null), ``bind_pd``, and
    ``nice``, by which the process is to be less urgent. Answers whether the folder is ``there``.

    ``pd`` is bound only where nothing else has that name. Raises ``OSError`` where the folder is not there, unless it
    ``may_lack_cwd``, and ``ValueError`` where the limit is above what the system allows.
    """
    told: dict[str, Any] = json.loads(text)
    # At once, where ipykernel itself looks once a second: the next server repeats the step that was in flight.
    end_with_parent()
    os.environ.update(told["environment"])
    global _may_lack_cwd
    _may_lack_cwd = told.get("may_lack_cwd", False)
    there = _enter(told["cwd"])
    environment.note()
    modules.note_folder()
    os.nice(told["nice"])
    if told["memory_limit"] is not None:
        _limit_memory(told["memory_limit"])
    install(shell())
    if hasattr(shell(), "kernel"):  # none where a checkpoint is only tried
        flush_what_there_is()
    note_path()
    if told["bind_pd"]:
        shell().user_ns.setdefault("pd", pd)
    return Reply(
        version=flownb.__version__,
        python=".".join(str(part) for part in sys.version_info[:3]),
        executable=sys.executable,
        there=there,
    )


def _enter(folder: str) -> bool:
    """Whether the folder is there; raises ``OSError`` where it has to be."""
    try:
        os.chdir(folder)
    except OSError:
        if not _may_lack_cwd:
            raise
        return False
    return True


def enter(folder: str) -> Reply:
    """Goes to the kernel's folder again, which may be another than when it was prepared; raises ``OSError``."""
    _enter(folder)
    return Reply()


def _limit_memory(limit: int) -> None:
    try:
        import resource
    except ImportError:  # not on this platform
        return
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
