"""What a step has shown, made harmless: the widget for outputs trusts all that it is given."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

LONGEST = 100_000
"""Characters of one text; more is in the executed notebook."""

MOST = 200
"""Outputs of one step."""

PICTURES = ("image/png", "image/jpeg", "image/gif")
TALLEST = 420
"""Pixels of what is shown in a frame; it scrolls, and can be made taller."""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
PAGE = """<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<style>body {{ font: 13px system-ui, sans-serif; margin: 4px; overflow-wrap: anywhere }}
table {{ border-collapse: collapse }} td, th {{ padding: 3px 8px; border: 1px solid #ccc; text-align: right }}
img {{ max-width: 100% }}</style>{body}"""


def harmless(outputs: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The outputs of a notebook's cell with no script in them, and no markup outside of a frame that runs none."""
    return tuple(_output(output) for output in list(outputs)[:MOST])


def error(raised: Mapping[str, Any]) -> dict[str, Any]:
    """An error of the API as an output."""
    return {
        "output_type": "error",
        "ename": raised["ename"],
        "evalue": _cut(raised["evalue"]),
        "traceback": [_cut(line) for line in raised["traceback"] or [f"{raised['ename']}: {raised['evalue']}"]],
    }


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {"output_type": "stream", "name": output["name"], "text": _cut(_whole(output["text"]))}
    if output["output_type"] == "error":
        return error(output)
    return {"output_type": "display_data", "data": _data(output.get("data", {})), "metadata": {}}


def _data(data: Mapping[str, Any]) -> dict[str, str]:
    kept = {mime: _whole(data[mime]) for mime in PICTURES if mime in data}
    if not kept and "text/html" in data:
        kept["text/html"] = _framed(_whole(data["text/html"]))
    elif not kept and "image/svg+xml" in data:
        picture = b64encode(_whole(data["image/svg+xml"]).encode()).decode()
        kept["text/html"] = _framed(f'<img alt="" src="data:image/svg+xml;base64,{picture}">')
    plain = next((data[mime] for mime in ("text/markdown", "text/latex", "text/plain") if mime in data), None)
    kept["text/plain"] = _cut(_whole(plain)) if plain is not None else f"({', '.join(data) or 'nothing'})"
    return kept


def _framed(body: str) -> str:
    tall = min(TALLEST, 60 + 27 * body.count("<tr")) if "<tr" in body else TALLEST // 2
    style = f"width: 100%; height: {tall}px; resize: vertical; border: 0; background: white; color-scheme: light"
    page = escape(PAGE.format(policy=POLICY, body=body))
    return f'<iframe sandbox="" title="Output" style="{style}" srcdoc="{page}"></iframe>'


def _whole(value: Any) -> str:
    """Notebook files keep texts as lines or as one."""
    return "".join(value) if isinstance(value, list) else str(value)


def _cut(said: str) -> str:
    if len(said) <= LONGEST:
        return said
    return f"{said[:LONGEST]}\n... {len(said) - LONGEST:,} characters more: see the executed notebook"
