"""What ``pd.respond`` takes, and what it says of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from flownb.core.errors import InvalidValue
from flownb.core.events import Responded, StepFailed
from flownb.core.model import Error, PauseKind, Policy, Response, Retry
from flownb.core.responses import is_answered, response
from tests.core.play import Play, suspend

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("said", "status", "headers", "body"),
    [
        ({}, 200, {}, None),
        ({"status": 204, "body": None, "headers": None}, 204, {}, None),
        ({"body": "wörds"}, 200, TEXT, "wörds"),
        ({"body": ""}, 200, TEXT, ""),
        ({"body": b"\xff\x00"}, 200, {"Content-Type": "application/octet-stream"}, {"base64": "/wA="}),
        ({"status": 201, "body": {"a": (1, None)}}, 201, {"Content-Type": "application/json"}, '{"a":[1,null]}'),
        ({"body": []}, 200, {"Content-Type": "application/json"}, "[]"),
        ({"body": {}, "headers": {"content-type": "a/b"}}, 200, {"content-type": "a/b"}, "{}"),
        (
            {"status": 302, "headers": {"Location": "/x", "Retry-After": 5}},
            302,
            {"Location": "/x", "Retry-After": "5"},
            None,
        ),
    ],
)
def test_a_response_is_put_as_it_is_sent(said: Any, status: int, headers: dict[str, str], body: Any) -> None:
    assert response(said) == Response(status, headers, body)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("done", "expected a dict"),
        (None, "expected a dict"),
        ({"code": 200}, "'code' is not known"),
        ({"status": 100}, "from 200 to 599"),
        ({"status": 600}, "from 200 to 599"),
        ({"status": True}, "from 200 to 599"),
        ({"status": "200"}, "from 200 to 599"),
        ({"status": 204, "body": "x"}, "status 204 has no body"),
        ({"headers": ["a"]}, "expected a dict of names"),
        ({"headers": {"a b": "c"}}, "'a b' is no name"),
        ({"headers": {"": "c"}}, "is no name"),
        ({"headers": {"A": "b\r\nSet-Cookie: c"}}, "header A: expected text of one line"),
        ({"headers": {"A": "ü"}}, "in ASCII"),
        ({"headers": {"A": None}}, "header A"),
        ({"headers": {"Set-Cookie": "a=b"}}, "not a workflow's to set"),
        ({"headers": {"TRANSFER-ENCODING": "chunked"}}, "not a workflow's to set"),
        ({"headers": {"Content-Length": 3}}, "not a workflow's to set"),
        ({"body": 5}, "expected text, bytes"),
        ({"body": {"a": {1, 2}}}, "respond: body.a is of type set"),
        ({"body": "\ud800"}, "surrogate"),
        ({"immediate": "yes"}, "expected True or False"),
    ],
)
def test_what_cannot_be_sent_says_why(said: Any, complaint: str) -> None:
    with pytest.raises(InvalidValue, match=complaint):
        response(said)


def test_immediate_may_stand_beside_the_response_or_in_it() -> None:
    assert response({}, immediate=True).due
    assert response({"immediate": True}).due
    assert not response({"immediate": False}).due


def test_an_answer_waits_for_a_pause_or_for_the_end_unless_it_is_immediate() -> None:
    play = Play(Policy(), Policy(), Policy())
    play.finish(response=Response(200, {}, "x"))
    assert not is_answered(play.execution)
    play.finish(suspend())
    assert play.execution.response == Response(200, {}, "x", due=True, of=play.named("a").attempt)
    assert is_answered(play.execution)

    play = Play(Policy(), Policy())
    play.begin()
    play.happen(Responded(Response(202, {}, due=True)))
    assert is_answered(play.execution)
    play.finish(response=Response(202, {}, due=True))
    play.finish(response=Response(500, {}))
    assert play.execution.response
    assert play.execution.response.status == 202
    assert play.execution.warnings == ("step 'b' called pd.respond after an answer was given: the first one stands",)


def test_a_step_that_raised_has_answered_only_what_was_to_be_sent_at_once() -> None:
    play = Play(Policy(retry=Retry(1)))
    play.begin()
    play.happen(StepFailed(Error("ValueError", "no"), response=Response(200, {})))
    assert play.execution.pause
    assert play.execution.pause.kind is PauseKind.RETRY
    assert play.execution.response is None
    assert not is_answered(play.execution)
    play.wait()
    play.begin()
    play.happen(StepFailed(Error("ValueError", "no"), response=Response(201, {}, due=True)))
    assert play.execution.response == Response(201, {}, due=True, of=play.named("a").attempt)
