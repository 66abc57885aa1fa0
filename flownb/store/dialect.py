"""Statements and values of ours, as Postgres takes them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any

from psycopg.adapt import AdaptersMap, Buffer, Dumper, Loader
from psycopg.postgres import types

_ESCAPED = re.compile("[\x00\x01]")
_WORDS = (
    (re.compile("%"), "%%"),
    (re.compile(r"\s(NOT INDEXED|INDEXED BY \w+)"), ""),
    (re.compile(r"json_each\(\?\)"), "json_array_elements_text(?::json) AS each (value)"),
    (re.compile(r"\bLIKE\b"), "ILIKE"),
    (re.compile(r"\?"), "%s"),
    (re.compile(r"(?<!:):([a-z]\w*)"), r"%(\1)s"),
)


@cache
def translated(sql: str) -> str:
    """A statement in the words of Postgres, with the marks of psycopg."""
    for word, its in _WORDS:
        sql = word.sub(its, sql)
    return sql


def adapt(adapters: AdaptersMap) -> None:
    """Have a connection take and give values as SQLite does."""
    adapters.register_dumper(str, _Text)
    adapters.register_dumper(int, _Integer)
    adapters.register_dumper(bool, _Integer)
    adapters.register_loader("text", _TextLoader)
    adapters.register_loader("numeric", _NumericLoader)


class _Text(Dumper):
    """Postgres has no NUL in a text. It is written as two signs that keep the order and the beginnings of texts."""

    def dump(self, obj: str) -> bytes:
        if "\0" in obj or "\1" in obj:
            obj = _ESCAPED.sub(lambda found: "\1\1" if found[0] == "\0" else "\1\2", obj)
        return str.encode(obj)


class _TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        text = str(data, "utf-8")
        return text.replace("\1\1", "\0").replace("\1\2", "\1") if "\1" in text else text


class _Integer(Dumper):
    """Of one size, whatever its value is, so that a statement is prepared once; a truth is 1 or 0."""

    oid = types["int8"].oid

    def dump(self, obj: int) -> bytes:
        return b"%d" % obj


class _NumericLoader(Loader):
    """Sums of integers are integers."""

    def load(self, data: Buffer) -> Any:
        found = Decimal(str(data, "ascii"))
        return int(found) if found == found.to_integral_value() else float(found)
