"""What the record says of a checkpoint: what is not carried over, what took long, what changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flownb.core.sources import source_digest
from flownb.store.checkpoints import StepCheckpoint

BUDGET_MS = 1_000
"""A checkpoint that takes longer is on record with a warning."""


def checkpoint_warnings(kept: StepCheckpoint, *, paused: bool) -> list[str]:
    """What is to be known of a checkpoint that has just been made; of what is lost only where its step pauses."""
    warnings = [not_carried(variable) for variable in kept.variables if paused and variable["status"] in _NOT_WHOLE]
    if kept.checkpoint.file is None:
        warnings.append(kept.checkpoint.why)
    elif kept.ms > BUDGET_MS:
        warnings.append(_slow(kept))
    return warnings


_NOT_WHOLE = {"lost": "is not", "partly": "is not wholly"}


def not_carried(variable: dict[str, Any]) -> str:
    """That a variable is lost, or a part of it, and what to do."""
    made = f" of step {variable['step']!r}" if variable.get("step") else ""
    return (
        f"variable {variable['name']!r}{made} ({variable['type']}) {_NOT_WHOLE[variable['status']]} carried over a "
        f"pause: {variable['reason']}; make it in a cell tagged `setup`"
    )


def _slow(kept: StepCheckpoint) -> str:
    largest = max(kept.variables, key=lambda variable: int(variable["size"]), default=None)
    named = f", most of it for {largest['name']!r} ({largest['size']:,} bytes)" if largest else ""
    # No figures of time, which would make every warning a new one.
    return (
        f"the checkpoint after step {kept.step!r} takes more than {BUDGET_MS:,} ms{named}: "
        "`#| checkpoint: false` leaves it out"
    )


def changed_modules(kept: StepCheckpoint) -> list[str]:
    """The local modules whose files are no longer what they were at the checkpoint."""
    return [name for name, noted in kept.modules.items() if _digest(noted["path"]) != noted["digest"]]


def _digest(path: str) -> str:
    """Of the file as it is now; empty where it cannot be read."""
    try:
        return source_digest(Path(path).read_bytes())
    except OSError:
        return ""


def modules_warning(step: str, names: Iterable[str]) -> str:
    """That local modules changed during the pause after a step."""
    return (
        f"local modules changed during the pause after step {step!r}: {', '.join(sorted(names))}; "
        "what follows runs with the new code"
    )
