"""The form of a pause as widgets; what fits is decided by the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipywidgets import HTML, Checkbox, Dropdown, Layout, Password, SelectMultiple, Text, Textarea, VBox

from flownb.core.fields import Field, fields, initial, parse, placed
from flownb.core.model import Json
from flownb.widgets.markup import classed, put, text

EXAMPLES = {
    "date": "2026-11-24",
    "date-time": "2026-11-24 14:00",
    "time": "14:00",
    "email": "ana@example.org",
    "uri": "https://",
    "json": "JSON",
}
MOST_LINES = 8


class Form(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Fields for what a JSON Schema describes, with room for a complaint below each."""

    def __init__(self, schema: Json) -> None:
        self._asked = fields(schema)
        texts = initial(self._asked)
        self._inputs = {field.name: _input(field, texts[field.name]) for field in self._asked}
        self._complaints = {name: HTML(layout=Layout(display="none")) for name in ["", *self._inputs]}
        parts: list[Any] = [] if "" in self._inputs else [self._complaints[""]]
        for field in self._asked:
            parts.append(self._inputs[field.name])
            if hint := _hint(field):
                parts.append(HTML(text(hint, "dim")))
            parts.append(self._complaints[field.name])
        super().__init__(parts)
        classed(self, "form")

    def data(self) -> tuple[Json, dict[str, str]]:
        """What is filled in, and what cannot be read of it, by field."""
        return parse(self._asked, {field.name: _texts(field, self._inputs[field.name]) for field in self._asked})

    def complain(self, errors: Mapping[str, str]) -> None:
        """Show what is wrong next to the fields, and nothing where nothing is."""
        found = placed(self._asked, errors)
        for name, label in self._complaints.items():
            said = found.get(name, "")
            put(label, f'<div role="alert">{text(said, "trouble")}</div>' if said else "")
            label.layout.display = None if said else "none"


def _input(field: Field, texts: list[str]) -> Any:
    first = texts[-1] if texts else ""
    named: dict[str, Any] = {"description": f"{field.label}{' *' if field.required else ''}", "tooltip": field.help}
    if field.kind == "boolean":
        made = Checkbox(value=bool(texts), indent=False, layout=Layout(width="auto"), **named)
        return classed(made, "input")
    if field.kind == "choice":
        options = [(choice.label, choice.text) for choice in field.choices]
        made = Dropdown(options=options if first and field.required else [("", ""), *options], value=first, **named)
    elif field.kind == "many":
        options = [(choice.label, choice.text) for choice in field.choices]
        made = SelectMultiple(options=options, value=texts, rows=min(MOST_LINES, len(options)), **named)
    elif field.kind in ("multiline", "json"):
        made = Textarea(value=first, placeholder=EXAMPLES.get(field.kind, ""), rows=3, **named)
    elif field.kind == "password":
        made = Password(**named)
    else:
        made = Text(value=first, placeholder=EXAMPLES.get(field.kind, ""), **named)
    return classed(made, "field", "input")


def _texts(field: Field, made: Any) -> list[str]:
    """As browsers send forms."""
    if field.kind == "boolean":
        return ["true"] if made.value else []
    return list(made.value) if field.kind == "many" else [made.value]


def _hint(field: Field) -> str:
    """What there is to know of a field besides its label."""
    bounds = [f"at least {field.minimum:g}" if field.minimum is not None else ""]
    bounds.append(f"at most {field.maximum:g}" if field.maximum is not None else "")
    several = "any number of them, with Ctrl or Shift" if field.kind == "many" else ""
    return "; ".join(filter(None, [field.help, *bounds, several]))
