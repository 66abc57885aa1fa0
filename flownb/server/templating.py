"""The templates of all pages, those of the links and those of the console."""

from __future__ import annotations

from pathlib import Path

import jinja2

STATIC = Path(__file__).with_name("static")
"""What browsers load besides; a page that may load nothing includes it."""


def environment() -> jinja2.Environment:
    """Templates into which nothing is filled that is not escaped."""
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader("flownb.server"), jinja2.FileSystemLoader(STATIC)]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def encoded(html: str) -> bytes:
    """A page as it is sent: Python allows half of a surrogate pair in a text, UTF-8 does not."""
    return html.encode(errors="replace")
