"""How Hypothesis looks for counter-examples: the same ones on every machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("flownb", max_examples=500, stateful_step_count=25, deadline=None, derandomize=True)
settings.load_profile("flownb")
