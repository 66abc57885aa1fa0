"""The outputs of one cell, as nbformat writes them, out of the messages that a kernel publishes."""

from __future__ import annotations

from typing import Any

import nbformat.v4

from flownb.core.model import Json

MOST_CHARACTERS = 10_000_000
"""Text and data kept of one cell; what a notebook prints beyond it would only make its record unreadable."""

_SHOWN = frozenset({"stream", "display_data", "execute_result", "error"})


class Outputs:
    """Collects what a cell shows: streams folded, ``clear_output`` and ``update_display_data`` honoured."""

    def __init__(self) -> None:
        self._found: list[Any] = []
        self._displays: dict[str, list[Any]] = {}
        self._clear_next = False
        self._room = MOST_CHARACTERS
        self._cut = False

    @property
    def so_far(self) -> list[Json]:
        """A copy; text that arrived in pieces is joined."""
        found: list[Json] = []
        for output in self._found:
            parts = output.get("text")
            found.append({**output, "text": "".join(parts)} if isinstance(parts, list) else dict(output))
        return found

    def take(self, kind: str, content: Any) -> None:
        """One message of IOPub that belongs to the cell; kinds that show nothing are passed over."""
        try:
            self._take(kind, content)
        except Exception:  # whatever nbformat makes of a library's message
            self._say(f"a {kind} message that no notebook can hold")

    def _take(self, kind: str, content: Any) -> None:
        if kind == "clear_output":
            self._clear_next = True
            if not content.get("wait"):
                self._clear()
        elif kind == "update_display_data":
            self._update(content)
        elif kind in _SHOWN:
            if self._clear_next:
                self._clear()
            if self._fits(content):
                self._add(kind, content)

    def _clear(self) -> None:
        self._found.clear()
        self._displays.clear()
        self._clear_next = False
        self._room = MOST_CHARACTERS
        self._cut = False

    def _fits(self, content: Any) -> bool:
        self._room -= _size(content)
        if self._room >= 0 or "ename" in content:
            return True
        if not self._cut:
            self._cut = True
            self._say(f"output beyond {MOST_CHARACTERS:,} characters")
        return False

    def _say(self, what: str) -> None:
        self._add("stream", {"name": "stderr", "text": f"\n[flownb: {what} is not kept]\n"})

    def _add(self, kind: str, content: Any) -> None:
        last = self._found[-1] if self._found else None
        if kind == "stream" and last is not None and last.get("name") == content["name"]:
            last["text"].append("".join(content["text"]))
            return
        output = _output(kind, content)
        if kind == "stream":
            output["text"] = ["".join(output["text"])]
        self._found.append(output)
        if display_id := (content.get("transient") or {}).get("display_id"):
            self._displays.setdefault(display_id, []).append(output)

    def _update(self, content: Any) -> None:
        display_id = (content.get("transient") or {}).get("display_id", "")
        for output in self._displays.get(display_id, ()):
            self._room += _size(output)
            if self._fits(content):
                new = _output("display_data", content)
                output["data"], output["metadata"] = new["data"], new["metadata"]


def _output(kind: str, content: Any) -> Any:
    """The output of a message, valid in a notebook; raises whatever nbformat raises."""
    return nbformat.v4.output_from_msg({"header": {"msg_type": kind}, "content": content})


def _size(content: Any) -> int:
    data = content.get("data") or {}
    return len(content.get("text", "")) + sum(len(str(value)) for value in data.values())
