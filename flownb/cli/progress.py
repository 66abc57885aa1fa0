"""The live display of an execution: what has come about stays as lines, what goes on is the last line."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from flownb.cli.narration import OVER, doing, news


class Progress:
    """Shows an execution as it goes; on what is no terminal, plain lines only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            SpinnerColumn(style="cyan"),
            BarColumn(bar_width=24, complete_style="cyan"),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._shown: dict[str, Any] | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._bar.stop()

    def say(self, doing: str) -> None:
        """What goes on before there is an execution."""
        self._bar.update(self._task, description=doing)

    def show(self, execution: dict[str, Any]) -> None:
        """The execution as it now stands."""
        for line in news(self._shown, execution, datetime.now().astimezone()):
            self._console.print(line, soft_wrap=True)
        self._shown = execution
        steps = execution["steps"]
        done = sum(step["status"] in OVER for step in steps)
        self._bar.update(self._task, total=len(steps), completed=done, description=doing(execution))
