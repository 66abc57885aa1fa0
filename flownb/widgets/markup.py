"""Markup of the widgets: every text is escaped, every colour follows JupyterLab's theme."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlsplit

from ipywidgets import HTML, Widget

STYLE = """<style>
.flownb { color: var(--jp-ui-font-color1, inherit); font-size: var(--jp-ui-font-size1, 13px); line-height: 1.4; }
.flownb .widget-html-content { line-height: 1.4; overflow-wrap: anywhere; white-space: normal; }
.flownb a { color: var(--jp-content-link-color, #1565c0); }
.flownb code { font-family: var(--jp-code-font-family, monospace); overflow-wrap: anywhere; }
.flownb .widget-html, .flownb .widget-box, .flownb .jupyter-widgets-output-area { min-width: 0; overflow: visible; }
.flownb-row { border-top: 1px solid var(--jp-border-color2, #ccc); padding: 6px 2px; }
.flownb-line { align-items: flex-start; flex-flow: row wrap; gap: 2px 8px; }
.flownb-line > .flownb-what { flex: 1 1 20em; }
.flownb-bar { flex-flow: row wrap; align-items: center; gap: 2px 8px; }
.flownb-fields { padding: 4px 0 4px 12px; margin-left: 4px; border-left: 3px solid var(--jp-brand-color1, #1976d2); }
.flownb-field.jupyter-widgets { flex-direction: column; align-items: stretch; height: auto; width: auto; }
.flownb-field.jupyter-widgets > .widget-label {
  width: auto; height: auto; max-width: none; text-align: left; white-space: normal; overflow-wrap: anywhere; }
.flownb-field.jupyter-widgets > :is(input, textarea, select) { width: 100%; max-width: 40em; flex: none; }
.flownb-dim { color: var(--jp-ui-font-color2, #616161); }
.flownb-trouble { color: var(--jp-error-color1, #b3261e); }
.flownb-reason { white-space: pre-wrap; }
.flownb-badge { display: inline-block; padding: 0 7px; border-radius: 9px; border: 1px solid currentColor; }
.flownb-succeeded { color: var(--jp-success-color0, #1b5e20); }
.flownb-failed { color: var(--jp-error-color1, #b3261e); }
.flownb-suspended { color: #8a4b00; }
.flownb-running, .flownb-queued { color: var(--jp-brand-color0, #0d47a1); }
[data-jp-theme-light="false"] .flownb-succeeded { color: #81c784; }
[data-jp-theme-light="false"] .flownb-failed, [data-jp-theme-light="false"] .flownb-trouble { color: #ef9a9a; }
[data-jp-theme-light="false"] .flownb-suspended { color: #ffb74d; }
[data-jp-theme-light="false"] :is(.flownb-running, .flownb-queued) { color: #90caf9; }
.flownb-detail > .flownb-view {
  border-top: 3px solid var(--jp-border-color1, #999); margin-top: 12px; padding-top: 8px; }
.flownb-field.jupyter-widgets > select:not([multiple]) { height: 28px; }
.flownb-heard > .widget-label, .flownb-heard > .widget-label-basic > span {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.flownb-track { display: inline-block; width: 8em; height: 8px; vertical-align: middle; border-radius: 4px;
  background: var(--jp-layout-color3, #ddd); }
.flownb-track > span { display: block; height: 8px; border-radius: 4px; background: var(--jp-brand-color1, #1976d2); }
.flownb table { border-collapse: collapse; }
.flownb :is(td, th) { padding: 2px 10px 2px 0; text-align: left; vertical-align: top; }
</style>"""


def text(said: str, *kinds: str, tag: str = "div") -> str:
    """Text of any origin, its lines kept, in an element of these classes."""
    classes = " ".join(f"flownb-{kind}" for kind in kinds)
    return f'<{tag} class="{classes}">{escape(said).replace(chr(10), "<br>")}</{tag}>'


def link(label: str, url: str) -> str:
    """A link that opens a tab of its own; nothing but its label where the address is none to follow."""
    if urlsplit(url).scheme not in ("", "http", "https"):
        return escape(label)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener">{escape(label)}</a>'


def badge(status: str, count: int | None = None) -> str:
    """A status, in its colour, and how many have it."""
    said = status if count is None else f"{status} {count:,}"
    return f'<span class="flownb-badge flownb-{escape(status)}">{escape(said)}</span>'


def classed(widget: Any, *kinds: str) -> Any:
    """The widget, with these classes."""
    for kind in kinds:
        widget.add_class(f"flownb-{kind}")
    return widget


def put(label: HTML, value: str) -> None:
    """Change a label; the same again costs no message."""
    if label.value != value:
        label.value = value


def discard(widget: Any) -> None:
    """Close a widget with all that is in it."""
    for inner in getattr(widget, "children", ()):
        discard(inner)
    parts: list[Widget] = [widget.layout, widget.style] if hasattr(widget, "style") else [widget.layout]
    Widget.close(widget)
    for part in parts:
        part.close()
