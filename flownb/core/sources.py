"""What says whether a source file is the one it was: the kernel notes it, the server compares."""

from __future__ import annotations

import hashlib


def source_digest(content: bytes) -> str:
    """Of a module's source."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
