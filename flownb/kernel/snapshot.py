"""Checkpoints: the author's namespace on disk, and back in another kernel.

A checkpoint is a file with one line of JSON, the manifest, and the end of the pickles behind it; the greater part of
them, and large buffers, are blobs beside it in the same place. Being pickles, snapshots are code: a file is read only
where its digest is the one that the server noted when it was written, and a blob where it agrees with its name.
"""

from __future__ import annotations

import json
import time
from typing import Any

from flownb import faults
from flownb.core.hashing import agrees, digest
from flownb.core.jsonvalue import dumps
from flownb.kernel import environment, frames, modules, origins, packs, plan, process
from flownb.kernel.ipython import shell
from flownb.kernel.pd import pd
from flownb.kernel.places import Place, place
from flownb.kernel.reply import Reply
from flownb.kernel.snapshot_errors import SnapshotDamaged, SnapshotIncompatible

FORMAT = 2


def save(where: str, file: str, most: str = "") -> Reply:
    """Writes the namespace to a ``file`` in the place that ``where`` says, with its blobs beside it.

    Replies with the file's ``digest``, the ``size`` of it all in bytes and how many were newly ``stored``, the names of
    its ``blobs``, what became of each of the ``variables``, the ``modules`` and ``packages`` in use, and ``ms``, the
    time it took.

    Raises ``SnapshotTooLarge`` above ``most`` bytes; ``OSError`` where it cannot be written, or there is a file
    already; ``PlaceUnreachable``; and ``MemoryError``.
    """
    began = time.monotonic()
    faults.point("checkpoint.begin")
    there = place(where)
    namespace = shell().user_ns
    names = packs.order(namespace, origins.authors_names(shell()))
    pickled = frames.write(namespace, names, origins.origin)
    plan.demand_room(pickled, int(most or 0))
    packed = packs.keep(pickled, there)
    about = {
        "variables": plan.variables(namespace, pickled, packed),
        "modules": modules.local(),
        "packages": environment.packages(packs.beginnings(pickled)),
    }
    manifest = {
        "format": FORMAT,
        "python": environment.python(),
        "folder": process.folder(),
        "path": process.added_path(),
        "environment": environment.changes(),
        **packed.manifest,
        **about,
    }
    head = dumps(manifest).encode("ascii") + b"\n"
    there.write(file, [head, packed.rest])
    faults.point("checkpoint.written")
    written = len(head) + len(packed.rest)
    return Reply(
        digest=digest([head, packed.rest]),
        size=packed.size + len(head),
        stored=packed.stored + written,
        blobs=packed.blobs,
        ms=round((time.monotonic() - began) * 1000),
        **about,
    )


def load(where: str, file: str, written: str) -> Reply:
    """Brings the variables in a ``file`` of a place back; its digest is ``written``.

    They win over what setup cells made.

    Only where a variable could not be carried, what a setup cell made under its name stays. Replies with the number of
    ``variables``. Raises ``CheckpointMissing``, ``SnapshotDamaged``, with nothing unpickled yet,
    ``SnapshotIncompatible`` or ``PlaceUnreachable``.
    """
    there = place(where)
    content = there.read(file)
    if not agrees(written, content):
        raise SnapshotDamaged(f"the checkpoint {file} is not what was written there")
    line, _, rest = content.partition(b"\n")
    manifest = json.loads(line)
    if (manifest["format"], manifest["python"]) != (FORMAT, environment.python()):
        raise SnapshotIncompatible(
            f"the checkpoint has format {manifest['format']} of Python {manifest['python']}; "
            f"this kernel reads format {FORMAT} of Python {environment.python()}"
        )
    _restore(manifest, rest, there)
    return Reply(variables=len(manifest["variables"]))


def _restore(manifest: dict[str, Any], rest: bytes, there: Place) -> None:
    namespace = shell().user_ns
    variables = manifest["variables"]
    process.enter(manifest["folder"], manifest["path"])  # first: imports may need them
    environment.enter(manifest["environment"])
    faults.point("restore.begun")
    stream = packs.stream(manifest, rest, there)
    buffers = packs.buffers(manifest, there)
    try:
        frames.read(stream, manifest["order"], buffers, namespace)
    except Exception as error:
        where = "; ".join(getattr(error, "__notes__", ()))
        raise SnapshotIncompatible(
            f"the checkpoint cannot be read here: {where}: {type(error).__name__}: {error}"
        ) from error
    if namespace.get("pd") is pd and "pd" not in manifest["order"]:
        del namespace["pd"]  # the author had deleted it
    for variable in variables:  # in the order in which the author made them
        namespace[variable["name"]] = namespace.pop(variable["name"])
    origins.restore(namespace, {variable["name"]: variable["step"] for variable in variables})
