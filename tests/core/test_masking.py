"""Secrets are taken out of whatever a step shows, in all the ways in which programs commonly write them."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus, urlencode

import pytest

from flownb.core.masking import Mask

SECRET = "p/ss\"wörd+<1>?'&"
MASK = Mask.of([SECRET])


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        repr(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        escape(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        urlencode({"a": SECRET}),
        b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode(),
        *(b64encode(f"{before}{SECRET}{after}".encode()).decode() for before in ("", "u", "us") for after in ("", ":")),
    ],
)
def test_a_secret_is_masked_however_it_is_written(written: str) -> None:
    masked = MASK.text(f"before {written} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "…" in masked
    assert len(masked) <= len("before  after") + 12  # of base64, the letters that it shares with its neighbours stay
    assert SECRET[:6] not in masked


def test_what_is_short_is_no_secret_and_the_longest_goes_first() -> None:
    assert not Mask.of(["abc", ""])
    assert Mask.of(["abc"]).text("abc") == "abc"
    assert Mask.of(["secret", "secret-and-more"]).text("secret-and-more, secret") == "…, …"


def test_lines_of_a_key_are_masked_one_by_one() -> None:
    mask = Mask.of(["-----BEGIN KEY-----\nMIIEvQIBADANBg\nAB==\n"])
    assert mask.text("> MIIEvQIBADANBg\n> AB==") == "> …\n> AB=="


def test_json_is_masked_through_and_through_and_numbers_stay() -> None:
    mask = Mask.of(["hunter22"])
    assert mask.json({"a": ["xhunter22y", 5, None], "hunter22": True}) == {"a": ["x…y", 5, None], "…": True}
    assert mask.values({"kind": "hunter22", "b": ["hunter22"]}, ["kind"]) == {"kind": "hunter22", "b": ["…"]}


def test_outputs_are_masked_but_for_what_is_no_text() -> None:
    mask = Mask.of(["stream"])
    data = {"text/html": "<b>stream</b>", "application/json": {"stream": 1}, "image/png": "streamAAAA"}
    found = mask.output({"output_type": "display_data", "data": data, "metadata": {"x": "stream"}})
    shown = {"text/html": "<b>…</b>", "application/json": {"…": 1}, "image/png": "streamAAAA"}
    assert found == {"output_type": "display_data", "data": shown, "metadata": {"x": "…"}}
    printed = {"output_type": "stream", "name": "stdout", "text": "a stream"}
    assert mask.output(printed) == {**printed, "text": "a …"}


def test_what_may_be_the_beginning_of_a_secret_is_held_back() -> None:
    mask = Mask.of(["hunter22"])
    assert [mask.held_back(text) for text in ("a hun", "a hunt er", "hunter2", "", "hunter22")] == [
        "a ",
        "a hunt er",
        "",
        "",
        "hunter22",
    ]
    assert "hunter22" not in repr(mask)
