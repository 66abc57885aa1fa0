"""Checkpoints: the author's namespace in a file, and back in another kernel.

A file is one line of JSON, the header, and then the pickles of the variables. Being pickles, snapshots are code: a file
is read only where its digest is the one that the server noted when it was written.
"""

from __future__ import annotations

import json
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.kernel import durable, frames, origins, process
from flownb.kernel.ipython import shell
from flownb.kernel.lost import Lost
from flownb.kernel.pd import pd
from flownb.kernel.reply import Reply

FORMAT = 1


class CheckpointMissing(FlowNBError):
    """The file is not there."""

    reason = "checkpoint_missing"


class SnapshotDamaged(FlowNBError):
    """The file is not the one that was written."""

    reason = "snapshot_damaged"


class SnapshotIncompatible(FlowNBError):
    """The file is sound, but this kernel cannot make sense of it."""

    reason = "snapshot_incompatible"


def save(path: str) -> Reply:
    """Writes the namespace to ``path``. Replies with its digest, its size in bytes, and what became of each variable.

    Raises ``OSError`` where the file cannot be written, a former one is then left as it was, and ``MemoryError``.
    """
    data, variables = frames.write(shell().user_ns, origins.authors_names(shell()), origins.origin)
    header = {
        "format": FORMAT,
        "python": _python(),
        "folder": process.folder(),
        "path": process.added_path(),
        "variables": variables,
    }
    parts = [dumps(header).encode("ascii"), b"\n", data]
    durable.write(Path(path), parts)
    return Reply(digest=_digest(*parts), size=sum(map(len, parts)), variables=variables)


def load(path: str, digest: str) -> Reply:
    """Brings the variables in ``path`` back into the namespace; they win over what setup cells made.

    Only where a variable could not be carried, what a setup cell made under its name stays. Replies with the number of
    variables. Raises ``CheckpointMissing``, ``SnapshotDamaged``, with nothing unpickled yet, or
    ``SnapshotIncompatible``.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise CheckpointMissing(f"there is no checkpoint at {path}") from None
    if _digest(content) != digest:
        raise SnapshotDamaged(f"the checkpoint at {path} is not what was written there")
    line, _, data = content.partition(b"\n")
    header = json.loads(line)
    if (header["format"], header["python"]) != (FORMAT, _python()):
        raise SnapshotIncompatible(
            f"the checkpoint has format {header['format']} of Python {header['python']}; "
            f"this kernel reads format {FORMAT} of Python {_python()}"
        )
    _restore(header, data)
    return Reply(variables=len(header["variables"]))


def _restore(header: dict[str, Any], data: bytes) -> None:
    namespace = shell().user_ns
    steps = {variable["name"]: variable["step"] for variable in header["variables"]}
    process.enter(header["folder"], header["path"])  # first: imports may need them
    try:
        values = frames.read(data, list(steps))
    except Exception as error:
        where = "; ".join(getattr(error, "__notes__", ()))
        raise SnapshotIncompatible(
            f"the checkpoint cannot be read here: {where}: {type(error).__name__}: {error}"
        ) from error
    if namespace.get("pd") is pd and "pd" not in values:
        del namespace["pd"]  # the author had deleted it
    namespace.update({name: value for name, value in values.items() if not (type(value) is Lost and name in namespace)})
    origins.restore(namespace, steps)


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _digest(*parts: bytes) -> str:
    digest = blake2b(digest_size=32)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
