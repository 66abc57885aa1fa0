"""What stands below a cell that has paused a simulated workflow: the choices that people and the clock have."""

from __future__ import annotations

import json
from html import escape

from IPython.display import display
from ipywidgets import HTML, Button, HBox, Layout, Textarea, VBox

from flownb.authoring.simulation import Simulation
from flownb.authoring.story import waits
from flownb.core.jsonvalue import to_json
from flownb.core.model import Action, Json, Pause, PauseKind
from flownb.widgets.form import Form
from flownb.widgets.markup import STYLE, text


class Panel(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Buttons for one pause; they are done with once it is over, however it ended."""

    def __init__(self, simulation: Simulation, pause: Pause) -> None:
        self._simulation = simulation
        self._pause = pause
        self.form = Form(pause.form) if pause.form is not None else None
        self.data = Textarea(
            description="Data",
            placeholder='JSON, such as {"approved": true}; empty for none',
            layout=Layout(width="min(40em, 100%)"),
        )
        self.resume = _button("Resume", "success", "play")
        self.timer = _button("Timer fires", "", "clock-o")
        self.cancel = _button("Cancel", "danger", "stop")
        self.message = HTML()
        self.resume.on_click(lambda button: self._resume())
        self.timer.on_click(lambda button: self._say(simulation.fire(pause)))
        self.cancel.on_click(lambda button: self._cancel())
        what = HTML(f"{STYLE}<b>{escape(pause.of.step)}</b> waits (simulated): {escape(waits(pause))}")
        fields = [] if pause.kind is PauseKind.RETRY else [self.form or self.data]
        super().__init__([what, *fields, HBox([self.resume, self.timer, self.cancel]), self.message])
        self.add_class("flownb")
        simulation.listeners.append(self._look)

    def _resume(self) -> None:
        data, wrong = self.form.data() if self.form is not None else _read(self.data.value)
        said = "this does not fit"
        if not wrong:
            said, wrong = self._simulation.decide(self._pause, Action.RESUME, data)
        if self.form is not None:
            self.form.complain(wrong)
        self._say(said if self.form is not None or not wrong else "; ".join(wrong.values()), trouble=bool(wrong))

    def _cancel(self) -> None:
        said, _ = self._simulation.decide(self._pause, Action.CANCEL)
        self._say(said)

    def _look(self) -> None:
        """Something has changed in the simulation."""
        if self._simulation.pause is not self._pause:
            fields = self.form.children if self.form is not None else [self.data]
            for widget in (*fields, self.resume, self.timer, self.cancel):
                if widget.has_trait("disabled"):
                    widget.disabled = True

    def _say(self, said: str, *, trouble: bool = False) -> None:
        self.message.value = f'<div role="status">{text(said, *(["trouble"] if trouble else []))}</div>'


def show(simulation: Simulation, pause: Pause) -> None:
    """Display the choices below the cell that runs."""
    display(Panel(simulation, pause))  # type: ignore[no-untyped-call]


def _read(text: str) -> tuple[Json, dict[str, str]]:
    """Data as they were typed, and what is wrong with them."""
    try:
        return to_json(json.loads(text), "data") if text.strip() else None, {}
    except ValueError as error:
        return None, {"": f"this is not JSON: {error}"}


def _button(label: str, style: str, icon: str) -> Button:
    return Button(description=label, button_style=style, icon=icon, layout=Layout(width="auto"))
