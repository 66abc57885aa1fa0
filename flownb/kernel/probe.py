"""Tries to read a checkpoint in a process of its own, which ends with that: nothing else comes of it.

``python -m flownb.kernel.probe JSON`` prints one line of JSON: flownb's version, the ``reason`` why the checkpoint
cannot be read here, or null, and the ``packages`` as they are here. Setup cells are not run: what they would make
stays a placeholder.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from flownb import __version__
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.kernel.snapshot_errors import SnapshotIncompatible

NOT_SET_UP = "setup cells, which a kernel runs before it reads a checkpoint, were not run for this"
NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendmsg", "socket.sendto"})


def main() -> None:
    """Is told what ``boot`` is to ``prepare``; the checkpoint's ``place``, ``file`` and ``digest``; if there is a
    ``setup``; and ``packages``."""
    told = json.loads(sys.argv[1])
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # for what modules print when they are imported
    reason = _reason(told)
    answer.write(dumps({"version": __version__, "reason": reason, "packages": _packages(told["packages"])}) + "\n")
    answer.close()
    os._exit(0)  # threads of libraries are not waited for


def _reason(told: dict[str, Any]) -> str | None:
    try:
        _read(told)
    except SnapshotIncompatible as error:
        return f"{error}; {NOT_SET_UP}" if told["setup"] else str(error)
    except FlowNBError as error:
        return str(error)
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _read(told: dict[str, Any]) -> None:
    import_module("ipykernel")  # without which there is no kernel
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.instance()
    from flownb.kernel import boot, snapshot

    boot.prepare(dumps(told["prepare"]))
    sys.addaudithook(_refuse_network)
    snapshot.load(told["place"], told["file"], told["digest"])


def _refuse_network(event: str, arguments: object) -> None:
    """Whoever connects when it is unpickled would have two connections, of which one is nobody's."""
    if event in NETWORK:
        raise ConnectionError("there is no network where a checkpoint is only tried")


def _packages(names: Iterable[str]) -> dict[str, str | None]:
    """The version of each package that is here, as checkpoints note it."""
    return {name: platform.python_version() if name == "python" else _version(name) for name in names}


def _version(package: str) -> str | None:
    try:
        version = import_module(package).__version__
    except (Exception, SystemExit):  # whatever its import, or a module's own `__getattr__`, raises
        return None
    return version if isinstance(version, str) else None


if __name__ == "__main__":
    main()
