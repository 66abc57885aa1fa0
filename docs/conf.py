"""How the documentation is built: ``sphinx-build -W docs site``."""

from __future__ import annotations

from flownb import __version__

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
