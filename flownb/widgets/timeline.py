"""The steps of an execution, one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ipywidgets import HTML, HBox, Layout, Output, ToggleButton, VBox

from flownb.core.words import span
from flownb.widgets.markup import badge, classed, put, text
from flownb.widgets.outputs import harmless
from flownb.widgets.times import present, whole
from flownb.widgets.view import button


class StepRow:
    """A step: how it stands, how long it took, its outputs on demand, and the button to replay from it."""

    def __init__(
        self, step: Mapping[str, Any], looked: Callable[[], None], replay: Callable[[str], None], longest: int
    ) -> None:
        self.name: str = step["name"]
        self.cell_id: str = step["cell_id"]
        self._step = step
        self.longest = longest
        self.what = classed(HTML(), "what")
        self.opened = classed(ToggleButton(description="Outputs", tooltip=f"Outputs of step {self.name}"), "outputs")
        self.opened.layout.width = "auto"
        self.opened.observe(lambda change: looked(), "value")
        self.replay = button("Replay from here", "replay", f"A new execution from step {self.name} on")
        self.replay.on_click(lambda clicked: replay(self.name))
        self.output = Output(layout=Layout(display="none", max_height="40em", overflow="auto"))
        line = classed(HBox([self.what, self.opened, self.replay]), "line")
        self.box = classed(VBox([line, self.output]), "row", "step")

    def show(self, entry: Mapping[str, Any]) -> None:
        self._step = entry
        self.replay.disabled = self.opened.disabled = entry["runs"] == 0
        self.tick()

    def show_outputs(self, outputs: list[dict[str, Any]]) -> None:
        """What the step has shown so far; the same again costs no message."""
        found = harmless(outputs)
        if self.output.outputs != found:
            self.output.outputs = found
        self.output.layout.display = None

    def tick(self) -> None:
        """Count."""
        put(self.what, _words(self._step, self.longest))


def took(step: Mapping[str, Any]) -> int:
    """Milliseconds that its cell has run, until now where it does."""
    if step["status"] != "running" or not step["started_at"]:
        return int(step["compute_ms"])
    since = present() - datetime.fromisoformat(step["started_at"])
    return int(step["compute_ms"]) + max(0, round(since.total_seconds())) * 1000


def _words(step: Mapping[str, Any], longest: int) -> str:
    spent = took(step)
    about = [f"run {step['runs']}"] if step["runs"] > 1 else []
    about += [f"attempt {step['attempts']}"] if step["attempts"] > 1 else []
    if step["runs"]:
        about.append(whole(spent / 1000) if step["status"] == "running" else span(timedelta(milliseconds=spent)))
    share = round(100 * spent / max(longest, spent, 1))
    bar = f'<span class="flownb-track" aria-hidden="true"><span style="width: {share}%"></span></span>'
    error = step["error"] or step["last_error"]
    return "".join(
        [
            f"<div>{text(step['name'], 'name', tag='b')} {badge(step['status'])} ",
            f"{bar if step['runs'] else ''} {text(' · '.join(about), 'dim', tag='span')}</div>",
            text(f"{error['ename']}: {error['evalue']}"[:500], "trouble") if error else "",
        ]
    )
