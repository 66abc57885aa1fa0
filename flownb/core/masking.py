"""Secrets taken out of what is shown and kept: each value, and the ways in which programs commonly write it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote, quote_plus

from flownb.core.model import Json
from flownb.core.payload import MASK

LEAST = 4
"""Characters of a secret; in place of shorter ones, half a text would be masked, and they are none anyway."""

LINE = 8
"""Characters of a line of a secret that has several, from which on it is masked by itself too."""

_OPAQUE = ("image/", "audio/", "video/", "application/pdf")
"""Base64 of what is no text: nothing is found there but by chance."""


@dataclass(frozen=True)
class Mask:
    """Knows some secrets; false where it knows none. ``forms`` is what is looked for, the longest first."""

    forms: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Mask:
        found = {form for secret in secrets if len(secret) >= LEAST for form in _forms(secret)}
        return cls(tuple(sorted(found, key=lambda form: (-len(form), form))))

    def __bool__(self) -> bool:
        return bool(self.forms)

    def text(self, text: str) -> str:
        """The text with ``MASK`` in place of each secret."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def held_back(self, text: str) -> str:
        """A text that grows, without what may be the beginning of a secret at its end."""
        begun = [_overlap(text, form) for form in self.forms]
        return text[: len(text) - max(begun, default=0)]

    def json(self, value: Json) -> Json:
        """A JSON value, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.json(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.json(item) for item in value]
        return value

    def values(self, value: Json, besides: Iterable[str] = ()) -> Json:
        """A JSON value whose keys are words of ours, and so is what stands under those named in ``besides``."""
        if isinstance(value, dict):
            return {key: item if key in besides else self.values(item, besides) for key, item in value.items()}
        if isinstance(value, list):
            return [self.values(item, besides) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def output(self, output: Json) -> Json:
        """An output, as notebooks have them."""
        bundle = output.get("data", {})
        shown = {kind: self._content(kind, content) for kind, content in bundle.items()}
        rest = self.values({key: item for key, item in output.items() if key != "data"}, ("output_type", "name"))
        return {**rest, "data": shown} if bundle else rest

    def _content(self, kind: str, content: Json) -> Json:
        opaque = kind.startswith(_OPAQUE) and not kind.endswith("+xml")
        return content if opaque else self.json(content)


def _forms(secret: str) -> Iterator[str]:
    """As it is, escaped for JSON, Python, HTML and URLs, in base64 wherever in a text it stood, and line by line."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield escape(secret)
    raw = secret.encode(errors="surrogatepass")
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    for written in _in_base64(raw):
        yield written
        yield written.replace("+", "-").replace("/", "_")
    yield from (line for line in secret.splitlines() if LINE <= len(line) < len(secret))


def _in_base64(raw: bytes) -> Iterator[str]:
    """What is the same of its base64, whatever stands before and behind it."""
    yield b64encode(raw).decode()
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        written = b64encode(b"\0" * shift + raw).decode().rstrip("=")
        last = len(written) - bool((shift + len(raw)) % 3)
        if last - first >= LEAST:
            yield written[first:last]


def _overlap(text: str, form: str) -> int:
    """How many characters at the end of ``text`` are the beginning of ``form``, but not all of it."""
    return next((size for size in range(min(len(form) - 1, len(text)), 0, -1) if text.endswith(form[:size])), 0)
