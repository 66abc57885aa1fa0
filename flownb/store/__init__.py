"""The state, on disk: SQLite through sqlite-utils, one writer thread, one transaction per transition."""

from __future__ import annotations

import sys

# Where pandas and numpy are installed, sqlite-utils imports them to know a few more types of columns, of which there
# are none here. That takes longer than all else that a server starts with, and memory for as long as it lives.
_needless = [name for name in ("numpy", "pandas") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_needless))  # type: ignore[arg-type]  # None stands for what is not to be found
try:
    import sqlite_utils  # noqa: F401
finally:
    for _name in _needless:
        del sys.modules[_name]
