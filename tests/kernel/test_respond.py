"""How the answer of a step is handed on; what it may be is for the rules in core."""

from __future__ import annotations

import json
from typing import Any

import pytest

import flownb
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.kernel.cells import begin
from flownb.kernel.step import SetupCell, Step

from .conftest import Kernel, about_step

DONE: dict[str, Any] = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": "[1]", "due": False}


def test_the_first_answer_of_a_step_is_kept_and_a_second_is_in_the_record(step: Step) -> None:
    flownb.pd.respond({"body": [1]})
    flownb.pd.respond({"status": 500}, immediate=True)
    assert step.response == DONE
    assert step.warnings == ["step 'code' called pd.respond more than once: the first answer stands"]


def test_what_could_not_be_sent_is_refused_at_the_call(step: Step) -> None:
    with pytest.raises(InvalidValue, match="status"):
        flownb.pd.respond({"status": 42})
    with pytest.raises(InvalidValue, match="max_export_bytes"):
        flownb.pd.respond({"body": "x" * 10_000})
    assert step.response is None


def test_setup_cells_and_steps_that_are_over_answer_nobody(step: Step) -> None:
    step.over = True
    with pytest.raises(FlowNBError, match="has ended"):
        flownb.pd.respond({})
    begin(SetupCell(about_step(), announce=lambda what, call: None))
    with pytest.raises(FlowNBError, match=r"setup cells may not call pd\.respond"):
        flownb.pd.respond({})


def test_an_answer_is_told_with_the_reply_and_one_at_once_at_the_call_too(kernel: Kernel) -> None:
    ran = kernel.step("pd.respond({'body': [1]})")
    assert (ran.asked["response"], ran.of_type("flownb_responded")) == (DONE, [])
    ran = kernel.step("pd.respond({'body': (1,)}, immediate=True)\nprint('later')")
    assert [output["msg_type"] for output in ran.outputs] == ["flownb_responded", "stream"]
    assert [json.loads(said["call"]) for said in ran.of_type("flownb_responded")] == [DONE | {"due": True}]
    assert ran.asked["response"] == DONE | {"due": True}


def test_by_hand_it_is_checked_and_nobody_is_answered(kernel: Kernel) -> None:
    kernel.execute("from flownb import pd")
    assert kernel.execute("pd.respond({'body': 'x'})").outputs == []
    assert kernel.execute("pd.respond({'status': 'x'})").reply["ename"] == "InvalidValue"
