"""Workflows of the hosted original, as it keeps them in git, made into notebooks."""

from __future__ import annotations

from flownb.importing.folder import Source, read
from flownb.importing.notebook import Imported, imported
from flownb.importing.notes import Note

__all__ = ["Imported", "Note", "Source", "imported", "read"]
