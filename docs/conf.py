"""How the documentation is built: ``sphinx-build -W docs site``."""

from __future__ import annotations

import json
from pathlib import Path

from sphinx.application import Sphinx

from flownb import __version__
from flownb.core.settings_schema import SCHEMA

project = "flownb"
author = "the flownb developers"
release = version = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
exclude_patterns = ["figures.md"]  # part of another page
myst_heading_anchors = 4
html_theme = "furo"
html_title = "flownb"
html_copy_source = False


def write_schema(app: Sphinx, error: Exception | None) -> None:
    """The schema of a workflow's settings, beside the pages, for whoever wants it as a file."""
    if error is None:
        (Path(app.outdir) / "workflow-settings.schema.json").write_text(json.dumps(SCHEMA, indent=2) + "\n")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", write_schema)
