"""How a request looks to a workflow, and which bodies are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.core.jsonvalue import dumps
from flownb.core.payload import MASK, File, UnreadableBody, collect, mask, read_body, shape

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def body(content: bytes, content_type: str = "", **options: Any) -> object:
    return read_body(content, {"Content-Type": content_type}, **options)


def refused(content: bytes, content_type: str, encoding: str = "") -> UnreadableBody:
    with pytest.raises(UnreadableBody) as raised:
        read_body(content, {"Content-Type": content_type, "Content-Encoding": encoding})
    return raised.value


# Bodies by type


@pytest.mark.parametrize("content_type", ["", JSON, FORM, MULTIPART, "text/plain", "image/png", "nonsense"])
def test_an_empty_body_is_none(content_type: str) -> None:
    assert body(b"", content_type) is None


@pytest.mark.parametrize("content_type", [JSON, "Application/JSON ; charset=utf-8", "application/cloudevents+json"])
def test_json_is_parsed(content_type: str) -> None:
    assert body(b'{"a": [1, 2.5, null, "\xc3\xa9"]}', content_type) == {"a": [1, 2.5, None, "é"]}


def test_json_may_hold_lone_surrogates() -> None:
    found = body(rb'"\ud800"', JSON)
    assert found == "\ud800"
    assert dumps(found) == r'"\ud800"'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "the body cannot be read as JSON: "),
        (b"[NaN]", "the body cannot be read as JSON: NaN is not JSON"),
        (b"[-Infinity]", "the body cannot be read as JSON: -Infinity is not JSON"),
        (b'{"a": [1e999]}', "body.a[0] is inf: JSON has finite numbers only"),
        pytest.param(b"1" * 4_301, "the body cannot be read as JSON: Exceeds the limit (4300 digits)", id="huge int"),
        pytest.param(b"[" * 100_000, "the body cannot be read as JSON: maximum recursion depth", id="deeper than C"),
        pytest.param(b"[" * 300 + b"]" * 300, "body[0][0][0]", id="deep"),
    ],
)
def test_json_that_is_none_is_refused(content: bytes, complaint: str) -> None:
    error = refused(content, JSON)
    assert error.code == 400
    assert str(error).startswith(complaint)


def test_a_form_is_an_object_and_a_key_given_twice_a_list() -> None:
    assert body(b"a=1&b=x+y&a=2&c=&d=%C3%A9", FORM) == {"a": ["1", "2"], "b": "x y", "c": "", "d": "é"}


def test_a_multipart_form_is_an_object_with_its_files() -> None:
    parts = [
        File("name", None, "text/plain; charset=latin-1", b"Andr\xe9"),
        File("tag", None, "", b"x"),
        File("tag", None, "", b"y"),
        File("scan", "scan.png", "image/png", b"\x89PNG"),
    ]
    scan = {"filename": "scan.png", "content_type": "image/png", "base64": "iVBORw=="}
    assert body(b"...", MULTIPART, parts=parts) == {"name": "André", "tag": ["x", "y"], "scan": scan}


def test_a_multipart_body_that_could_not_be_taken_apart_is_refused() -> None:
    assert refused(b"...", MULTIPART).code == 400


def test_a_multipart_field_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableBody) as raised:
        body(b"...", MULTIPART, parts=[File("name", None, "", b"\xff")])
    assert raised.value.code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "text/csv", "application/xml", "image/svg+xml", "", "nonsense"])
def test_other_text_is_a_string(content_type: str) -> None:
    assert body("é".encode(), content_type) == "é"


def test_text_is_read_in_its_charset() -> None:
    assert body("é".encode("utf-16"), 'text/plain; charset="UTF-16"') == "é"


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "image/png", "nonsense"])
def test_other_bytes_are_base64(content_type: str) -> None:
    assert body(b"\xff\x00", content_type) == {"base64": "/wA="}


@pytest.mark.parametrize("charset", ["klingon", "hex", "rot13", "zlib", "punycode", "unicode_escape"])
def test_an_unknown_charset_is_415(charset: str) -> None:
    assert refused(b"x", f"text/plain; charset={charset}").code == 415


@pytest.mark.parametrize("content_type", ["text/plain", JSON, FORM, "text/x; charset=ascii", "text/x; charset=\x00"])
def test_text_that_is_not_what_it_says_is_400(content_type: str) -> None:
    assert refused(b"\xff", content_type).code == 400


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_compressed_bodies_are_415(encoding: str) -> None:
    assert refused(b"x", JSON, encoding).code == 415


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_plain_bodies_may_say_so(encoding: str) -> None:
    assert read_body(b"1", {"Content-Type": JSON, "Content-Encoding": encoding}) == 1


signs = [
    "text/plain",
    JSON,
    "multipart/",
    ";",
    "charset",
    "*",
    "0",
    "=",
    "'",
    '"',
    "utf-8",
    "%",
    "=?q?",
    "\x0b",
    "\x85",
]
headers = st.text() | st.lists(st.sampled_from(signs)).map("".join)


@given(headers, st.binary())
def test_whatever_a_header_says_the_body_is_read_or_refused(header: str, content: bytes) -> None:
    try:
        found = body(content, header)
    except UnreadableBody:
        return
    assert json.loads(dumps(found)) == found


# The one shape


def request(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "method": "POST",
        "path": "/flownb/resume/x",
        "url": "https://example.org/flownb/resume/x?a=1",
        "query": "a=1",
        "headers": [],
        "client_ip": "192.0.2.1",
        "body": None,
        "received_at": "2027-01-15T08:00:00.000Z",
    }
    return shape(**{**usual, **changes})


def test_the_shape_has_these_fields_and_no_others() -> None:
    fields = ["method", "path", "url", "query", "headers", "client_ip", "body", "received_at"]
    assert list(request()) == fields


def test_a_query_key_given_twice_is_a_list() -> None:
    assert request(query="a=1&b=&a=2&%C3%A9=x")["query"] == {"a": ["1", "2"], "b": "", "é": "x"}


def test_headers_are_lower_case_and_those_that_betray_the_sender_are_left_out() -> None:
    given = [("X-Job", "7"), ("Cookie", "c"), ("X-XSRFToken", "t"), ("Referer", "r"), ("Authorization", "token x")]
    assert request(headers=given)["headers"] == {"x-job": "7", "authorization": "token x"}
    assert request(headers=given, dropped=["Authorization"])["headers"] == {"x-job": "7"}


def test_pairs_keep_their_order() -> None:
    assert list(collect([("b", 1), ("a", 2), ("b", 3)]).items()) == [("b", [1, 3]), ("a", 2)]


def test_secrets_are_masked_wherever_they_stand() -> None:
    secret = "s" * 43
    found = request(
        path=f"/flownb/resume/{secret}", headers=[("X-Url", f"https://x/{secret}")], body={secret: [f"<{secret}>"]}
    )
    masked = mask(found, [secret])
    assert secret not in dumps(masked)
    assert masked["path"] == f"/flownb/resume/{MASK}"
    assert masked["body"] == {MASK: [f"<{MASK}>"]}
    assert masked["method"] == "POST"


def test_a_request_without_secrets_stays_as_it_is() -> None:
    found = request(body={"a": ["é", "\ud800", 1.5, None]})
    assert mask(found, ["s" * 43]) == found
