"""A notebook that was deployed under a name, and the wish to start what is."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_hex

from flownb.core.errors import FlowNBError
from flownb.core.model import Json


class NoSuchWorkflow(FlowNBError):
    """No workflow of that name is deployed."""

    reason = "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"no workflow {name!r} is deployed: `flownb deploy` deploys a notebook")


class NoSuchVersion(FlowNBError):
    """A workflow has no version of that number."""

    reason = "not_found"

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"workflow {name!r} has no version {number}: `flownb versions {name}` lists them")


class QueueFull(FlowNBError):
    """So many events of a workflow wait to begin that its settings take no more."""

    reason = "queue_full"

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"{most:,} events of workflow {name!r} wait to begin: it takes no more now (setting `queue`)")


@dataclass(frozen=True)
class Deployment:
    """One of the versions that were deployed under a name, counted by ``number`` from 1.

    ``active`` says whether the name starts anything now; ``serial`` counts the hook URLs that it has had. ``restores``
    is the number of the earlier version that a rollback made current again.
    """

    name: str
    number: int
    version: str
    notebook: str
    at: int
    by: str | None
    active: bool
    serial: int
    restores: int | None = None

    @property
    def origin(self) -> int:
        """The number under which the version was deployed from its notebook."""
        return self.restores or self.number


@dataclass(frozen=True)
class Start:
    """The wish to start a deployed workflow.

    ``key`` names the event among those of the workflow: the same one again starts nothing. ``limited`` says that it is
    refused where the workflow's queue is full.
    """

    workflow: str
    trigger: Json
    key: str | None = None
    limited: bool = False
    id: str = field(default_factory=lambda: token_hex(8))
