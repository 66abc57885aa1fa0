"""What a cell has shown, as markup that is safe on a page of ours: the console's, and the one without a login.

Large outputs take tenths of a second: call these functions off the event loop.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from flownb.core.jsonvalue import dumps
from flownb.core.model import Json
from flownb.server.sanitise import TooIntricate, coloured, is_blank, is_lively, sanitised, unicode

MOST = 2_000_000
"""Characters of markup that are shown of a cell, or of all cells of a page."""

LONGEST_TEXT = 100_000
"""Characters of one text; of a longer one its beginning and its end are shown."""

LONGEST_MARKDOWN = 20_000
"""Characters beyond which Markdown is shown as it is written: some of it takes the square of its length to read."""

SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
SCRIPT = "application/javascript"
_NO_COLOUR = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""Sequences of a terminal that set its title or make a link."""


@dataclass
class Room:
    """How much markup a page still takes; counts what it has no room for."""

    left: int = MOST
    outputs: int = 0
    size: int = 0

    def takes(self, size: int) -> bool:
        """Whether something of that size still fits; it is counted as taken, or as left out."""
        if size <= self.left:
            self.left -= size
            return True
        self.outputs += 1
        self.size += size
        return False

    def note(self) -> str:
        """What was left out, as markup; empty where that is nothing."""
        if not self.outputs:
            return ""
        what = "1 output is" if self.outputs == 1 else f"{self.outputs} outputs are"
        return _note(f"{what} too large to be shown here ({self.size / 1e6:.1f} MB).")


def outputs_html(outputs: Sequence[Json], room: Room | None = None) -> str:
    """The outputs of a cell, in nbformat's form, as markup. What does not fit into ``room`` is counted there.

    Without ``room`` it is what fits into ``MOST`` characters, and a note on the rest.
    """
    own = Room() if room is None else room
    shown = [_in_room(output, own) for output in outputs]
    return "".join(shown) + (own.note() if room is None else "")


def markdown_html(source: str, attachments: Json = None) -> str:
    """Markdown as markup; ``attachments`` are those of its cell. Mathematics stays as it is written."""
    return _framed(_prose(source, attachments))


def _framed(html: str) -> str:
    """In a frame of its own, which can be scrolled without a mouse if it may be too wide."""
    reachable = ' tabindex="0"' if "<table" in html else ""
    return f'<div class="output"{reachable}>{html}</div>' if html else ""


def _prose(source: str, attachments: Json = None) -> str:
    if len(source) > LONGEST_MARKDOWN:
        return _text(source)
    # Imported in the thread that renders first, for that takes a quarter of a second.
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True, attachments=attachments or {})
    try:
        return f'<div class="prose">{sanitised(MarkdownWithMath(renderer=renderer).render(unicode(source)))}</div>'
    except Exception:  # whatever the renderer makes of it, such as of an attachment that is missing
        return _text(source)


def _in_room(output: Json, room: Room) -> str:
    size = sum(len(_string(part)) for part in _parts(output))
    if size > room.left:
        room.takes(size)
        return ""
    html = _framed(_output(output))
    return html if html and room.takes(len(html)) else ""


def _parts(output: Json) -> Iterable[Json]:
    """What of an output may be shown: of an object in several types the one that is."""
    if "data" in output:
        found = _best(output["data"])
        return [output["data"][found]] if found else []
    return [output.get("text") or output.get("traceback") or ""]


def _output(output: Json) -> str:
    kind = output["output_type"]
    if kind == "stream":
        return _text(_string(output["text"]))
    if kind == "error":
        lines = output.get("traceback") or [f"{output['ename']}: {output['evalue']}"]
        return _text("\n".join(map(_string, lines)))
    return _object(output["data"], output.get("metadata") or {})


def _object(data: Mapping[str, Json], metadata: Json) -> str:
    """An object by the best of its types that shows something."""
    if SCRIPT in data:
        return _note("A script of the notebook: it is not run here.")
    left = dict(data)
    while kind := _best(left):
        content = unicode(_string(left.pop(kind)))
        if html := RENDERERS[kind](content, _described(data, metadata.get(kind))):
            return html
    return _note(f"An output that is not shown here ({', '.join(data) or 'empty'}).")


def _best(data: Mapping[str, Json]) -> str | None:
    return next((kind for kind in RENDERERS if kind in data), None)


def _described(data: Mapping[str, Json], metadata: Json) -> dict[str, str]:
    """Attributes of a picture: its size, and what to say to those who do not see it."""
    plain = _string(data.get("text/plain", "")).strip("<> \n")
    found = {"alt": plain[:200] or "Picture"}
    if isinstance(metadata, Mapping):
        sizes = {side: metadata.get(side) for side in ("width", "height")}
        found |= {side: str(size) for side, size in sizes.items() if type(size) is int and 0 < size < 10_000}
    return found


def _html(content: str, described: Mapping[str, str]) -> str:
    try:
        html = sanitised(content)
    except TooIntricate as error:
        return _note(f"A document that is too large to be shown here ({error}).")
    left_out = _note("What runs or loads something is left out of this output.") if is_lively(content) else ""
    return "" if is_blank(html) else f'<div class="prose">{html}</div>{left_out}'


def _markdown(content: str, described: Mapping[str, str]) -> str:
    return _prose(content)


def _svg(content: str, described: Mapping[str, str]) -> str:
    """As a picture, in which browsers run no script and load nothing."""
    return _img("image/svg+xml", b64encode(content.encode()).decode(), described) if "<svg" in content else ""


def _picture(kind: str) -> Callable[[str, Mapping[str, str]], str]:
    def picture(content: str, described: Mapping[str, str]) -> str:
        written = "".join(content.split())
        try:
            data = b64decode(written, validate=True)
        except ValueError:
            return ""
        return _img(kind, written, described) if data.startswith(SIGNATURES[kind]) else ""

    return picture


def _img(kind: str, written: str, described: Mapping[str, str]) -> str:
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in described.items())
    return f'<img src="data:{kind};base64,{written}" {attributes}>'


def _plain(content: str, described: Mapping[str, str]) -> str:
    return _text(content)


def _text(text: str) -> str:
    """Text of a terminal: colours, and of a line that was written over its last state."""
    shown = _NO_COLOUR.sub("", _shortened(unicode(text)))
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in shown.split("\n"))
    from nbconvert.filters.ansi import ansi2html  # as above

    html = coloured(ansi2html(text)).strip("\n")
    return f"<pre>{html}</pre>" if html.strip() else ""


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters are left out here …]\n{text[-half:]}"


def _string(content: Json) -> str:
    """Text of a notebook, which may be in pieces; what a kernel says need not be text."""
    if isinstance(content, list) and all(isinstance(piece, str) for piece in content):
        return "".join(content)
    return content if isinstance(content, str) else dumps(content)


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


RENDERERS: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "text/html": _html,
    "text/markdown": _markdown,
    "image/svg+xml": _svg,
    **{kind: _picture(kind) for kind in SIGNATURES},
    "text/latex": _plain,
    "text/plain": _plain,
}
"""Best first, as nbconvert has them, but for LaTeX: without a script it is only its source."""
