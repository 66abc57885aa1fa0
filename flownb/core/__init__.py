"""The rules: pure functions and frozen data. No input or output, no clock, no Jupyter, no randomness.

What a kernel needs of it (``errors``, ``durations``, ``jsonvalue``) imports the standard library alone.
"""

from __future__ import annotations
