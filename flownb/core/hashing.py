"""Names for content: a digest that says at once whether bytes are those that were written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

blake3: Any
try:
    blake3 = import_module("blake3").blake3
except ImportError:  # a kernel in an environment of its own
    blake3 = None

PACKED = ".zst"
"""Stands behind the name of content that was packed with zstandard: it names what was packed."""

NAME = re.compile(r"(?:b2-)?[0-9a-f]{64}(?:\.zst)?")
"""What names look like."""

CHUNK = 16 * 1024 * 1024
"""Larger content is cut into pieces of this size: written side by side, and again only where it changed."""

BLAKE2 = "b2-"
"""Stands before a digest made without blake3, which is some five times faster where it is installed."""


def digest(parts: Iterable[Any]) -> str:
    """The name of the content that ``parts``, objects with a buffer, make up together; each is read as it comes."""
    return _blake2(parts) if blake3 is None else _digested(blake3(), parts)


def agrees(name: str, content: Any) -> bool:
    """Whether ``name`` is that of this content, by all cores; raises ``LookupError`` where this cannot be told here."""
    if name.startswith(BLAKE2):
        return _blake2([content]) == name
    if blake3 is None:
        raise LookupError("the snapshot was written with blake3: install it in this kernel's environment")
    return _digested(blake3(max_threads=blake3.AUTO), [content]) == name


def _blake2(parts: Iterable[Any]) -> str:
    return BLAKE2 + _digested(hashlib.blake2b(digest_size=32), parts)


def _digested(hasher: Any, parts: Iterable[Any]) -> str:
    for part in parts:
        hasher.update(part)
    return str(hasher.hexdigest())
