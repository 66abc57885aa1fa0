"""The props of steps, made into the inputs of a workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flownb.core.settings_schema import SECRET_NAME
from flownb.importing.folder import Step
from flownb.importing.notes import Note

TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
PATH = re.compile(r"(?:steps|event)(?:\.[\w$]+|\[\d+\]|\[\"[^\"]*\"\])+")
PART = re.compile(r"\.([\w$]+)|\[(\d+)\]|\[\"([^\"]*)\"\]")


@dataclass
class Inputs:
    """What has been gathered so far, by name."""

    declared: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """The props of a Python step; what cannot be an input becomes a note."""
        for name, value in _props(step):
            if not re.match(SECRET_NAME, name):
                self._note(step, f"the input {name!r} has a name that cannot be one here", "set it in the cell itself")
            elif code := _templates(value):
                self._note(step, f"the input {name!r} is worked out at each run: {code}", _instead(name, code))
            else:
                self._declare(step, name, self._input(step, name, value))

    def _declare(self, step: Step, name: str, value: Any) -> None:
        if self.declared.setdefault(name, value) != value:
            remedy = "inputs are the whole workflow's: give one of them another name, there and in the cell"
            self._note(step, f"the input {name!r} has another value than in an earlier step", remedy)

    def _input(self, step: Step, name: str, value: Any) -> Any:
        if _is_store(value):
            remedy = f"the store {name!r} is empty at first: copy over what is to be in it"
            self._note(step, f"the input {name!r} is a data store of the hosted product", remedy)
            return {"data_store": name}
        if isinstance(value, Mapping) and "authProvisionId" in value:
            secret = f"{name}_TOKEN".upper()
            remedy = f"set the secret {secret}; in the cell, `pd.inputs[{name!r}]` is that text, without `$auth`"
            self._note(step, f"the input {name!r} is a connected account ({value['authProvisionId']})", remedy)
            return {"secret": secret}
        if isinstance(value, Mapping) and "_enc" in value:
            secret = name.upper()
            self._note(step, f"the input {name!r} is an encrypted value", f"set the secret {secret}")
            return {"secret": secret}
        return value

    def _note(self, step: Step, found: str, remedy: str) -> None:
        self.notes.append(Note(f"step {step.name}", found, remedy))


def _props(step: Step) -> Iterator[tuple[str, Any]]:
    props = step.said.get("props")
    if isinstance(props, Mapping):
        yield from ((str(name), value) for name, value in props.items())


def _is_store(value: Any) -> bool:
    """A data store is told by its id."""
    found = value.get("dataStoreId") or value.get("id") if isinstance(value, Mapping) else value
    return isinstance(found, str) and re.fullmatch(r"ds_\w+", found) is not None


def _templates(value: Any) -> str | None:
    """The expressions in JavaScript that stand in a value; None where there are none."""
    found = TEMPLATE.findall(str(value))
    return ", ".join(found) or None


def _instead(name: str, code: str) -> str:
    """What to write in the cell in place of ``pd.inputs[name]``."""
    write = f"in place of `pd.inputs[{name!r}]`, write"
    if PATH.fullmatch(code) is None:
        return f"{write} it in Python, with `pd.steps`"
    first, *parts = [next(filter(None, part)) for part in PART.findall(f".{code}")]
    keys = "".join(f"[{part}]" if part.isdigit() else f'["{part}"]' for part in parts)
    return f"{write} `{'pd.steps' if first == 'steps' else 'pd.steps.trigger.event'}{keys}`"
