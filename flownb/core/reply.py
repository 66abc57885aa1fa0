"""How flownb's code in a kernel answers the server: JSON text in the ``user_expressions`` of the shell reply."""

from __future__ import annotations

MIMETYPE = "application/vnd.flownb+json"
"""The text is JSON in ASCII, so that no encoder on the way can stumble over it."""

EXPRESSION = "flownb"

CHECKPOINT = "flownb_checkpoint"
"""The expression that makes the checkpoint of a step."""
