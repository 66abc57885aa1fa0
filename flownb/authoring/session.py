"""The simulation in this kernel: what becomes of each cell that the author runs."""

from __future__ import annotations

import time
from typing import Any

from flownb.authoring.cells import Aside, Preparing, Refusal, Refused, SimulatedStep, lacking, renew
from flownb.authoring.files import Plain, notebook_file
from flownb.authoring.notebook import Notebook
from flownb.authoring.simulation import OutOfOrder, Simulation
from flownb.core.errors import NotebookError
from flownb.core.model import Json
from flownb.kernel.cells import Cell, is_open, written_by

OWN = ("%flownb", "%load_ext flownb", "%reload_ext flownb", "#")


class Session:
    """At most one simulation at a time."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._data: Json = None
        self._notebook = Notebook(None)
        self.simulation: Simulation | None = None

    def on(self, data: Json) -> str:
        """A simulation begins, for a workflow that was started with ``data``."""
        if is_open():
            raise Plain("this kernel has an execution open: pd.continue_() lets it go on, nothing is simulated here")
        self.off()
        file = notebook_file(self._shell)
        self._data = data
        self._notebook = Notebook(file)
        name = file.name if file else "notebook"
        self.simulation = simulation = Simulation(name, data, time.time_ns() // 1_000_000)
        simulation.listeners.append(lambda: renew(simulation))
        written_by(self.cell)
        if not any(isinstance(each, Refusal) for each in self._shell.ast_transformers):
            self._shell.ast_transformers.insert(0, Refusal())
        hint = "" if file else "; save the notebook and begin anew for the names of its steps"
        return f"simulating {name}: run the cells{hint}"

    def reset(self) -> str:
        """The simulation begins anew, with the same data."""
        self.present()
        return self.on(self._data)

    def off(self) -> str:
        """Cells that ask for a pause end with the message again that they have without a simulation."""
        if self.simulation is not None:
            self.simulation.close()
        self.simulation = None
        written_by(None)
        return "simulation is off"

    def present(self) -> Simulation:
        """The simulation; raises ``Plain`` where none is on."""
        if self.simulation is None:
            raise Plain("no simulation is on: `%flownb simulate on` begins one")
        return self.simulation

    def cell(self, source: str, cell_id: str | None, persons: bool) -> Cell:
        """What to make of a cell that is about to run; what is no person's, such as a list of variables, is no step."""
        simulation = self.present()
        if _is_own(source) or not persons:
            return Aside(simulation)
        role = self._notebook.role(source, cell_id)
        simulation.inputs = self._notebook.inputs()
        if role in ("step", "setup") and (missing := lacking(simulation)) is not None:
            return Refused(simulation, missing)
        if role == "setup":
            return Preparing(simulation)
        if role == "skip":
            return Aside(simulation)
        if role == "new" and simulation.closed is not None:  # something to look around with, if the rest is known
            return Aside(simulation) if self._notebook.file else Refused(simulation, simulation.closed)
        present = simulation.execution.step
        try:
            workflow, place = self._notebook.step(source, cell_id, present.cell_id if present else None)
            step = simulation.begin(workflow, place)
        except (NotebookError, OutOfOrder) as error:
            return Refused(simulation, str(error))
        return SimulatedStep(simulation, workflow.steps[place], step)


def _is_own(source: str) -> bool:
    """Whether a cell holds nothing but lines for this magic: it is to run at any time."""
    return all(line.startswith(OWN) for line in map(str.strip, source.splitlines()) if line)
