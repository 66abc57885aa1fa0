"""What a journal entry vouches for: its own words, all entries before it, and the record as it was left at rest.

Each entry is signed over the signature before it. Where an execution does not run after a change, its entry also has
the digests of the execution and its steps; each has those of the pauses and outputs that were written with it.
"""

from __future__ import annotations

import hmac
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt, Execution, Json, Pause, Policy, Status, Step, StepStatus
from flownb.store import rows
from flownb.store.engine import Database
from flownb.store.keys import Key

REMEMBERED = 2_000
"""Executions whose digests are at hand, so that only those of steps that have changed are made again."""

HINT = 6
"""Characters of a step's digest that tell which step it was that was altered."""

SIGNED = ("execution", "at", "event", "status", "step", "run", "attempt", "detail", "key", "seal")
"""Columns of an entry that its signature covers; its number is told by its place in the chain."""

_WRITER = json.JSONEncoder(separators=(",", ":"), default=vars)


def digest(value: Execution | Step | Pause) -> str:
    """Of all columns. What is null, empty, 0 or false does not count, so that a column added later changes no digest.

    In what notebooks and people put in, 0, false and no text are values like any other.
    """
    has = vars(value)
    told = ((name, has[name]) for name in rows.NAMES[type(value)])
    said = [
        (name, found) for name, found in told if found or (name in rows.JSON and isinstance(found, int | float | str))
    ]
    return blake2b(_WRITER.encode(said).encode(), digest_size=16).hexdigest()


def _counts(name: str, empty: Any) -> bool:
    return name in rows.JSON and isinstance(empty, int | float | str)


@lru_cache(1024)
def _unbegun(name: str, cell_id: str, policy: Policy) -> str:
    return digest(Step(name, cell_id, policy))


def of_steps(execution: Execution) -> list[str]:
    """The digest of each step."""
    return [digest(step) for step in execution.steps]


def of_record(execution: Execution, steps: Sequence[str | None]) -> dict[str, str]:
    """The digests of an execution, of its steps together, and the beginning of each step's own."""
    known = [one or digest(step) for one, step in zip(steps, execution.steps, strict=True)]
    together = blake2b("".join(known).encode(), digest_size=16).hexdigest()
    return {"execution": digest(execution), "steps": together, "hints": "".join(one[:HINT] for one in known)}


def name_of(pause: Pause) -> str:
    """A pause in one word: an attempt has one with links and, where it failed, the wait for the next one."""
    return f"{pause.of.id}{'' if pause.linked_to(pause.of) else '~'}"


def seal(
    before: Execution | None, after: Execution, steps: list[str | None], outputs: Mapping[str, str]
) -> dict[str, Json]:
    """What the entry of a change vouches for, besides its own words; empty where there is nothing.

    Digests of ``steps`` that are needed and not known are put there.
    """
    had, rests = before.pause if before is not None else None, after.status is not Status.RUNNING
    written = (one for one in (*after.past, after.pause) if one is not None)
    # One that has not ended is written again before it is read by anybody, as long as its step runs.
    pauses = {name_of(one): digest(one) for one in written if (one is not had if one.ended_by else rests)}
    record = {}
    if rests:
        steps[:] = [one or digest(step) for one, step in zip(steps, after.steps, strict=True)]
        record = of_record(after, steps)
    said = {**record, "pauses": pauses, "outputs": dict(outputs)}
    return {name: value for name, value in said.items() if value}


def sign(key: Key, before: str, entry: Mapping[str, Any]) -> str:
    """The signature of an entry whose predecessor has the signature ``before``, empty for none."""
    return _mac(key, dumps(["flownb journal", before, *(entry[name] for name in SIGNED)]))


def sign_outputs(key: Key, of: Attempt, outputs: str) -> str:
    """The signature of what an attempt has shown, in JSON; the same in a replay."""
    return _mac(key, f"{dumps(['flownb outputs', *of])}{outputs}")


def sign_note(key: Key, since: int) -> str:
    """The signature of the note that this key signs all entries after ``since``."""
    return _mac(key, dumps(["flownb signing", since]))


def _mac(key: Key, text: str) -> str:
    return hmac.digest(key.secret, text.encode(errors="surrogatepass"), "sha256").hex()


@dataclass
class Left:
    """How a change has left an execution: the signature of its entry, and the digests of those steps that are known."""

    mac: str
    steps: list[str | None]


class Known:
    """What this process has left on disk; for the writer alone.

    As long as nobody else has committed, nothing has to be read again.
    """

    def __init__(self) -> None:
        self._commits: int | None = None
        self._left: OrderedDict[str, Left] = OrderedDict()

    def begin(self, db: Database, execution_id: str, mac: str | None) -> Left | None:
        """How an execution was left whose latest entry has this signature; None where that is not known."""
        commits = db.others()
        if commits != self._commits:
            self._commits = commits
            self._left.clear()
        found = self._left.get(execution_id)
        return found if found is not None and found.mac == mac else None

    def left(self, execution_id: str, left: Left) -> None:
        self._left[execution_id] = left
        self._left.move_to_end(execution_id)
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)


def carried(before: Execution | None, after: Execution, left: Left | None) -> list[str | None]:
    """The digests of steps that a change has left alone; those that have not begun yet are known anyhow."""
    if before is None:
        fresh = (step.status is StepStatus.PENDING for step in after.steps)
        return [
            _unbegun(step.name, step.cell_id, step.policy) if new else None
            for step, new in zip(after.steps, fresh, strict=True)
        ]
    if left is None or len(before.steps) != len(after.steps):
        return [None] * len(after.steps)
    return [one if was is step else None for one, was, step in zip(left.steps, before.steps, after.steps, strict=True)]


def altered(before: Execution, sealed: str | None) -> bool:
    """Whether an execution that was read is not what its latest entry vouches for.

    Nobody could tell later: the next seal is made of what was read.
    """
    said = json.loads(sealed) if sealed else {}
    return "execution" in said and any(
        said[name] != found for name, found in of_record(before, of_steps(before)).items()
    )
