"""One target under atheris, which looks at what code an input reaches: ``python -m benchmarks.fuzz.guided TARGET``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["flownb", "email", "urllib.parse", "tornado.httputil", "json"]):
    from benchmarks.fuzz.targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
