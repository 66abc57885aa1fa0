"""What the steps of an execution did, for tests to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """A step as it stood when it was looked at. ``outputs`` are those of its cell, as nbformat has them."""

    name: str
    status: str
    runs: int
    attempts: int
    exports: dict[str, Any]
    error: dict[str, Any] | None
    outputs: list[dict[str, Any]]

    @property
    def returned(self) -> Any:
        """What it returned; None where that is nothing or no JSON."""
        return self.exports.get("$return_value")

    @property
    def resume_data(self) -> dict[str, Any] | None:
        """The request that ended its pause; None where there was none."""
        return self.exports.get("$resume_data")

    @property
    def text(self) -> str:
        """What it printed and showed, as text."""
        return "".join(text_of(output) for output in self.outputs)


class Steps(Mapping[str, Step]):
    """The steps of an execution by name, in notebook order."""

    def __init__(self, execution: Mapping[str, Any], notebook: Mapping[str, Any]) -> None:
        outputs = {cell["id"]: cell.get("outputs", []) for cell in notebook["cells"]}
        self._steps = {
            step["name"]: Step(
                name=step["name"],
                status=step["status"],
                runs=step["runs"],
                attempts=step["attempts"],
                exports=step["exports"] or {},
                error=step["error"],
                outputs=outputs.get(step["cell_id"], []),
            )
            for step in execution["steps"]
        }

    def __getitem__(self, name: str) -> Step:
        if name not in self._steps:
            raise KeyError(f"there is no step {name!r}, there is {', '.join(self._steps)}")
        return self._steps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


def text_of(output: Mapping[str, Any]) -> str:
    """An output as text: a stream's, or the plain text of what is shown; nothing for an error."""
    said = output.get("text") or output.get("data", {}).get("text/plain", "")
    text = "".join(said)
    return text if output["output_type"] == "stream" or not text else f"{text}\n"
