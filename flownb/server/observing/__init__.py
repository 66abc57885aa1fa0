"""What operators see from outside: metrics, events of Jupyter, traces and logs. Nothing depends on it."""

from __future__ import annotations
