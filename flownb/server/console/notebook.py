"""A notebook as a page for a frame: its cells, their source in colours, and what they have shown, made safe."""

from __future__ import annotations

from functools import cache
from secrets import token_urlsafe
from typing import Any

from ipython_pygments_lexers import IPythonLexer
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter

from flownb.core.model import Json
from flownb.server.console.handler import templates
from flownb.server.rendering import Room, markdown_html, outputs_html

LONGEST_SOURCE = 100_000
"""Characters of a cell beyond which its source has no colours."""


def notebook_page(notebook: Json) -> tuple[str, str]:
    """The page, and the nonce of its one style element. Takes tenths of a second where there is much to show."""
    room, nonce = Room(), token_urlsafe(12)
    cells = [_cell(cell, room) for cell in notebook["cells"]]
    page = templates().get_template("console/notebook.html")
    return page.render(nonce=nonce, cells=cells, left_out=Markup(room.note())), nonce  # noqa: S704 - of ours


def _cell(cell: Json, room: Room) -> dict[str, Any]:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        html = markdown_html(source, cell.get("attachments"))
        return {"kind": "markdown", "html": Markup(html if room.takes(len(html)) else "")}  # noqa: S704 - sanitised
    if cell["cell_type"] == "raw":
        return {"kind": "raw", "source": source}
    return {
        "kind": "code",
        "step": cell["metadata"].get("flownb"),
        "source": _coloured(source),
        "outputs": Markup(outputs_html(cell["outputs"], room)),  # noqa: S704 - sanitised
    }


def _coloured(source: str) -> Markup | str:
    if len(source) > LONGEST_SOURCE:
        return source
    return Markup(highlight(source, *_highlighting()))  # noqa: S704 - it escapes what it colours


@cache
def _highlighting() -> tuple[IPythonLexer, HtmlFormatter[str]]:
    return IPythonLexer(stripnl=False), HtmlFormatter(nowrap=True)
