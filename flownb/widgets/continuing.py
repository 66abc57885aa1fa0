"""Buttons to let an opened execution go on, and a line that says what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape

from ipywidgets import HTML, Button, HBox, Layout, VBox


class Continue(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """In the kernel of an opened execution, as ``flownb.Continue()``.

    ``go_on(replay)`` lets the execution go on and says what came of it; what it raises is shown. The buttons are done
    with once it has succeeded. Its callbacks may run in any thread.
    """

    def __init__(self, go_on: Callable[[bool], str]) -> None:
        self._go_on = go_on
        self._lock = threading.Lock()
        self.here = Button(description="Continue from here", button_style="primary", layout=Layout(width="auto"))
        self.anew = Button(description="as a new execution", layout=Layout(width="auto"))
        self.here.on_click(lambda button: self._clicked(replay=False))
        self.anew.on_click(lambda button: self._clicked(replay=True))
        self.message = HTML()
        super().__init__([HBox([self.here, self.anew]), self.message])

    def _clicked(self, *, replay: bool) -> None:
        with self._lock:
            if self.here.disabled:
                return  # the other button was faster
            self._enable(False)
            try:
                self._say(self._go_on(replay))
            except Exception as error:  # of any kind: variables may fail to be saved as they like
                self._say(str(error) or type(error).__name__, "color: var(--jp-error-color1, #b3261e)")
                self._enable(True)

    def _enable(self, on: bool) -> None:
        self.here.disabled = self.anew.disabled = not on

    def _say(self, text: str, style: str = "") -> None:
        self.message.value = f'<span role="status" style="{style}">{escape(text)}</span>'
