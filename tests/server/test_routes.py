"""Who is answered what, at every address of the extension: the table beside this module is the whole of it."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.server.routes import TABLE, walk

PUBLIC = ("/flownb/(resume|cancel|review)/(.*)", "/flownb/hook/(.*)")
BY_KEY = ("/flownb/kernel/data", r"/flownb/kernel/snapshots/([\w./-]{1,100})", "/flownb/opened")
"""Kernels show a key of their own there."""

Walked = tuple[list[str], dict[str, httpx.Headers]]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    root = tmp_path_factory.getbasetemp() / "routes"
    root.mkdir()
    return walk(root)


def test_every_route_answers_what_the_table_says(walked: Walked) -> None:
    assert walked[0] == TABLE.read_text().splitlines()


def test_the_table_lets_nobody_in_who_may_not(walked: Walked) -> None:
    route = ""
    for line in walked[0]:
        if not line.startswith(" "):
            route = line
            continue
        method, *rest = line.split()
        answers = dict(re.findall(r"(\w+) (\d+)", " ".join(rest)))
        if method == "socket" or route in PUBLIC:
            assert "101" not in rest, (route, line)
            continue
        assert answers["callback"] == "404", (route, line)
        for who in {"nobody", "wrong", "stranger", "host"} & answers.keys():
            told = ("302", "403", "405", *(["200"] if method == "OPTIONS" else []))
            assert answers[who] in told or route in BY_KEY, (route, line)
        if method in ("POST", "PUT", "PATCH", "DELETE"):
            for who in ("reader", "origin", "no_xsrf"):
                assert answers[who] in ("403", "404") or route in BY_KEY, (route, line)


def test_every_page_is_told_to_stay_where_it_is(walked: Walked) -> None:
    pages = {name: headers for name, headers in walked[1].items() if headers.get("Content-Length") != "0"}
    assert len(pages) > 100
    for name, headers in pages.items():
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert "no-store" in headers.get("Cache-Control", ""), name
        # The forms of the console need an Origin, which browsers leave out by the stricter one.
        assert headers.get("Referrer-Policy") in ("no-referrer", "same-origin"), name
        assert "frame-ancestors" in headers.get("Content-Security-Policy", ""), name
