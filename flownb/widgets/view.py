"""What all widgets of a server have: they find it, stay live, refresh on demand and say what is wrong."""

from __future__ import annotations

import getpass
import os
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from ipywidgets import HTML, Button, Layout, Text, VBox

from flownb.client import ApiError, Client, NoServer
from flownb.core.errors import FlowNBError
from flownb.widgets.live import Changed, passing, shared
from flownb.widgets.markup import STYLE, classed, discard, put, text


class View(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Shows what the server at ``url`` says, or the one that this kernel belongs to; holds no state of its own.

    Shows errors where it stands and raises none. May be used from any thread. It is live while a page displays it
    (from its making on until one has done so and ceased to), or until it is closed.
    """

    def __init__(self, url: str | None, token: str | None, name: str | None) -> None:
        self._given_url = url
        self._lock = threading.RLock()
        self._live = shared(url, token)
        self._answered = False
        self._waits_for_server = False
        self.refresh_button = button("Refresh", "refresh", "Ask the server now", icon="refresh")
        self.refresh_button.on_click(lambda clicked: self.refresh())
        self.name = classed(Text(description="Your name", value=name or whoever(), continuous_update=False), "name")
        self.name.tooltip = "Goes into the record of what you decide"
        self.status = HTML()
        self.message = HTML()
        super().__init__()
        classed(self, "view")
        self.add_class("flownb")
        self._style_sheet = HTML(STYLE, layout=Layout(display="none"))

    def start(self, *children: Any) -> None:
        """Show these widgets and be live."""
        self.children = [self._style_sheet, *children]
        self.refresh()
        self._live.add(self)
        self._view_count = 0  # from here on, front ends count the places where it is displayed
        self.observe(self._displayed, "_view_count")

    def show(self, client: Client) -> None:
        """Ask the server and show what it says."""
        raise NotImplementedError

    @property
    def counting(self) -> bool:
        """Whether time is to be told to ``tick``."""
        return self._waits_for_server

    def refresh(self) -> None:
        """Ask the server what holds now."""
        with self._lock:
            self._guarded(self.show)
        self._live.look()

    def heard(self, changed: Changed) -> None:
        """Something changed."""
        if changed is None or self.concerns(changed):
            with self._lock:
                self._guarded(self.show)

    def concerns(self, changed: Changed) -> bool:
        """Whether these executions are shown."""
        return bool(changed)

    def tick(self) -> None:
        """A second has passed."""
        with self._lock:
            if self._waits_for_server:
                self._guarded(self.show)

    def act(self, what: Callable[[Client], str]) -> None:
        """Do what somebody asked for, say what came of it, and show what holds then."""
        try:
            client = self._live.client()
            said, trouble = what(client), False
        except ApiError as error:
            refused = f"You may look here, but not do this (HTTP {error.code})." if error.code in (401, 403) else ""
            said, trouble = refused or str(error), True
        except Exception as error:  # a button that does nothing and says nothing would be worse
            said, trouble = str(error) or type(error).__name__, True
        with self._lock:
            self.say(said, trouble=trouble)
            self._guarded(self.show)

    def say(self, said: str, *, trouble: bool = False) -> None:
        """What came of the latest action."""
        self.message.value = f'<div role="status">{text(said, *(["trouble"] if trouble else []))}</div>'

    def signed(self) -> dict[str, str | None]:
        """Whose decision it is."""
        return {"by": self.name.value.strip() or None}

    def close(self) -> None:
        """Be live no more, and go from the page."""
        self._live.remove(self)
        with self._lock:  # who tells of changes may be about to tell this one
            if self.comm is not None:
                discard(self)

    def in_lab(self, path: str) -> str:
        """Where JupyterLab shows a file of the server.

        That of the kernel itself also serves the page, to the reader maybe by another address: that of a proxy or hub.
        """
        server = self._live.client()
        return f"{urlsplit(server.url).path if server.own else server.url}lab/tree/{quote(path)}"

    def _guarded(self, act: Callable[[Client], None]) -> None:
        client = None
        if self.comm is None:
            return  # it is closed, and was about to be told when that happened
        try:
            client = self._live.client()
            act(client)
        except Exception as error:  # in the thread that tells of changes, nobody else would hear of it
            self._waits_for_server = passing(error)
            if client is not None and isinstance(error, NoServer):
                self._live.lost(client)
            put(self.status, f'<div role="alert">{text(self._words(error), "trouble")}</div>')
        else:
            self._answered, self._waits_for_server = True, False

    def _words(self, error: Exception) -> str:
        if isinstance(error, NoServer) and self._answered:
            return f"The server does not answer; trying again.\n{error}"
        if isinstance(error, NoServer):
            elsewhere = f'\nElsewhere than below a Jupyter server: {type(self).__name__}(..., url="...", token="...").'
            return f"{error}{'' if self._given_url else elsewhere}\nTrying again."
        return str(error) if isinstance(error, FlowNBError) else f"{type(error).__name__}: {error}"

    def _displayed(self, change: dict[str, Any]) -> None:
        """Front ends do not close widgets whose output is gone: one that nobody sees is not worth a request."""
        if change["new"] == 0:
            self._live.remove(self)
        elif change["old"] == 0:
            self._live.add(self)
            self.refresh()


def button(label: str, kind: str, tooltip: str, **more: Any) -> Button:
    """A button as wide as its label, to be found by the class ``flownb-<kind>``."""
    return classed(Button(description=label, tooltip=tooltip, layout=Layout(width="auto"), **more), kind)


def whoever() -> str:
    """Who sits here, as far as the system knows."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (OSError, KeyError):
        return ""  # a container without a list of users
