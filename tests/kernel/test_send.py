"""What ``pd.send.email`` takes and refuses, and how the mails of a step are handed on."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

import flownb
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.kernel.cells import begin
from flownb.kernel.step import SetupCell, Step

from .conftest import Kernel, about_step

email: Any = flownb.pd.send.email  # what authors pass is not always what its types say
MAIL: dict[str, Any] = {"subject": "Ready", "text": "Look.", "html": None, "to": []}


def test_mails_are_kept_in_their_order(step: Step) -> None:
    email(subject="Ready", text="Look.")
    email(subject="Häuser 🏠", text="\ud800", html="<p>", to="Ada, of the team <ada@example.org>")
    email(subject="", text="", to=["a@b", "c@d.e"])
    assert step.mails == [
        MAIL,
        {"subject": "Häuser 🏠", "text": "\ud800", "html": "<p>", "to": ["Ada, of the team <ada@example.org>"]},
        {"subject": "", "text": "", "html": None, "to": ["a@b", "c@d.e"]},
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"subject": "Hi\nBcc: eve@example.org"}, "subject"),
        ({"subject": "Hi\r"}, "subject"),
        ({"subject": "Hi\u2028"}, "subject"),
        ({"subject": None}, "subject"),
        ({"text": b"Look."}, "text"),
        ({"html": 1}, "html"),
        ({"to": "ada"}, "to"),
        ({"to": ""}, "to"),
        ({"to": []}, "to"),
        ({"to": 7}, "to"),
        ({"to": [None]}, "to"),
        ({"to": "ada@example.org, eve@example.org"}, "to"),
        ({"to": "ada@example.org\nBcc: eve@example.org"}, "to"),
        ({"to": ["Ada\r\nBcc: <eve@example.org>"]}, "to"),
        ({"to": "eve@example.org <ada@example.org>"}, "to"),
        ({"to": "ada@exämple.org"}, "to"),
    ],
)
def test_what_could_not_be_sent_is_refused_at_the_call(step: Step, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{said}: expected"):
        email(**{"subject": "Hi", "text": "", **wrong})
    assert step.mails == []


def test_a_mail_is_no_larger_than_an_export(step: Step) -> None:
    with pytest.raises(InvalidValue, match="max_export_bytes"):
        email(subject="Hi", text="x" * 10_000)


def test_arguments_are_named(step: Step) -> None:
    with pytest.raises(TypeError):
        email("Hi", "there")


def test_setup_cells_and_steps_that_are_over_send_none(step: Step) -> None:
    step.over = True
    with pytest.raises(FlowNBError, match="has ended"):
        email(subject="Hi", text="")
    begin(SetupCell(about_step(), announce=lambda what, call: None))
    with pytest.raises(FlowNBError, match="setup cells may not send mail"):
        email(subject="Hi", text="")


def test_it_pickles_by_the_name_authors_know() -> None:
    send = flownb.pd.send
    assert pickle.loads(pickle.dumps(send)) is send
    assert b"kernel" not in pickle.dumps(send)


def test_a_mail_is_told_at_the_call_and_with_the_reply(kernel: Kernel) -> None:
    ran = kernel.step("pd.send.email(subject='Ready', text='Look.')\nprint('later')")
    assert [output["msg_type"] for output in ran.outputs] == ["flownb_mail_asked", "stream"]
    assert [json.loads(said["call"]) for said in ran.of_type("flownb_mail_asked")] == [MAIL]
    assert ran.asked["mails"] == [MAIL]


def test_by_hand_it_is_checked_and_not_sent(kernel: Kernel) -> None:
    kernel.execute("from flownb import pd")
    ran = kernel.execute("pd.send.email(subject='Ready', text='Look.')")
    assert ran.text == "No mail is sent by hand: 'Ready'\n"
    assert kernel.execute("pd.send.email(subject='a\\nb', text='')").reply["ename"] == "InvalidValue"
