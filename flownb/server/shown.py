"""What somebody who decides is shown, and its digest, which goes into the record with the decision."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flownb.core.model import Attempt, Execution, Json, Pause
from flownb.server.rendering import Room, markdown_html, outputs_html
from flownb.server.service import Active
from flownb.store import queries

TAG = "show-approver"


@dataclass(frozen=True)
class Shown:
    """``html`` is the safe markup of the cells that are shown; ``digest`` is hexadecimal, over all that is shown."""

    html: str
    digest: str


async def shown(active: Active, execution: Execution, pause: Pause | None, attempt: Attempt) -> Shown:
    """The cells tagged ``show-approver``, as their latest run left them; where none is, those of the step that asks."""
    content = (await active.store.pinned(execution)).content
    tagged = [cell for cell in content["cells"] if TAG in cell["metadata"].get("tags", ())]
    steps = {step.cell_id: step.name for step in execution.steps}
    names = {steps[cell["id"]] for cell in tagged if cell["id"] in steps} if tagged else {attempt.step}
    latest = await active.store.read(partial(queries.latest_outputs, execution_id=execution.id, steps=names))
    live = await active.attempts.live_outputs(execution.id)
    if live is not None and live.attempt.step in names:
        latest[live.attempt.step] = live.outputs
    cells = list(_cells(tagged, steps, latest)) if tagged else [{"outputs": latest.get(attempt.step, [])}]
    return await asyncio.to_thread(_shown, _about(execution, pause, attempt), cells)


def _cells(tagged: list[Any], steps: Mapping[str, str], latest: Mapping[str, list[Json]]) -> Iterator[dict[str, Json]]:
    for cell in tagged:
        if cell["cell_type"] == "markdown":
            yield {"markdown": cell["source"], "attachments": cell.get("attachments", {})}
        elif outputs := latest.get(steps.get(cell["id"], "")):
            yield {"outputs": outputs}


def _about(execution: Execution, pause: Pause | None, attempt: Attempt) -> dict[str, Json]:
    return {
        "workflow": execution.workflow,
        "notebook": execution.notebook,
        "execution": execution.id,
        "attempt": list(attempt),
        "kind": pause.kind if pause else None,
        "on_timeout": pause.on_timeout if pause else None,
        "reason": pause.reason if pause else None,
        "form": pause.form if pause else None,
    }


def _shown(about: dict[str, Json], cells: list[dict[str, Json]]) -> Shown:
    digest = hashlib.sha256(json.dumps([about, cells], sort_keys=True).encode()).hexdigest()
    room = Room()
    html = "".join(
        outputs_html(cell["outputs"], room) if "outputs" in cell else _markdown(cell, room) for cell in cells
    )
    return Shown(html + room.note(), digest)


def _markdown(cell: dict[str, Json], room: Room) -> str:
    html = markdown_html(cell["markdown"], cell["attachments"])
    return html if room.takes(len(html)) else ""
