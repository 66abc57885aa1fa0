"""Forms on the command line: filled in at a terminal, told where there is none."""

from __future__ import annotations

import getpass
import json
import os
import shlex
from collections.abc import Iterator
from typing import Any

import pexpect  # type: ignore[import-untyped]
import pytest

from flownb.cli.form_words import how_to_fill
from flownb.core.fields import fields
from flownb.core.forms import complaints
from tests.cli.conftest import COMMAND, FlowNB
from tests.client_support import Server
from tests.support.notebooks import cell, write

FORM = """
from enum import Enum
from pydantic import BaseModel, Field, SecretStr

class Category(Enum):
    TRAVEL = "travel"
    MEALS = "meals"

class Expense(BaseModel):
    amount: float = Field(gt=0, description="In euros.")
    category: Category
    tags: list[Category] = [Category.MEALS]
    paid: bool = False
    note: str = "none"
    pin: SecretStr = Field(min_length=3)

pd.flow.suspend(reason="What did [it] cost?", form=Expense, on_timeout="cancel")
"""


@pytest.fixture(scope="module")
def notebook(server: Server) -> str:
    return write(server.root, "expense.ipynb", cell(FORM, "ask"), cell("pd.steps.ask.resume_data['body']", "told"))


@pytest.fixture
def waiting(server: Server, notebook: str) -> Iterator[dict[str, Any]]:
    execution = server.waiting(notebook)
    yield execution
    server.client.decide_many("cancel", [execution["id"]])


def at_a_terminal(server: Server, *arguments: str) -> Any:
    """The command with somebody in front of it."""
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "200"}
    return pexpect.spawn(
        str(COMMAND), list(arguments), cwd=str(server.root), env=environment, encoding="utf-8", timeout=60
    )


def ended(server: Server, execution: str) -> Any:
    *_, last = server.client.follow(execution)
    return last["steps"][1]["exports"]["$return_value"]


def test_a_form_is_filled_in_field_by_field(server: Server, waiting: dict[str, Any]) -> None:
    terminal = at_a_terminal(server, "resume", waiting["id"], "--by", "Kim", "--comment", "as agreed")
    terminal.expect_exact("What did [it] cost?")
    terminal.expect("Amount .*In euros")
    terminal.sendline("a lot")
    terminal.expect_exact("is not a number: 'a lot'")
    terminal.sendline("")
    terminal.expect_exact("is required")
    terminal.sendline("-5")
    terminal.expect("1  travel")
    terminal.sendline("2")
    terminal.expect("Tags")
    terminal.sendline("1, meals")
    terminal.expect(r"Paid.*\[no\]")
    terminal.sendline("y")
    terminal.expect(r"Note.*\[none; - for none\]")
    terminal.sendline("-")
    terminal.expect("Pin")
    terminal.sendline("hunter2")
    # Only the server knows that less than 0 is too little: what is wrong is asked for again, and nothing else.
    terminal.expect("Amount.*must be more than 0.*5]")
    terminal.sendline("12.5")
    terminal.expect_exact(f"{waiting['id']} resumed")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "hunter2" not in str(terminal.before)
    assert ended(server, waiting["id"]) == {
        "amount": 12.5,
        "category": "meals",
        "tags": ["travel", "meals"],
        "paid": True,
        "note": "",
        "pin": "hunter2",
    }
    (decided,) = [entry for entry in server.client.journal(waiting["id"]) if entry["signature"]]
    assert (decided["signature"]["by"], decided["signature"]["comment"]) == ("Kim", "as agreed")


def test_ctrl_d_sends_nothing(server: Server, waiting: dict[str, Any]) -> None:
    terminal = at_a_terminal(server, "resume", waiting["id"])
    terminal.expect("Amount")
    terminal.sendeof()
    terminal.expect_exact("the input has ended: nothing was sent")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
    assert server.client.execution(waiting["id"])["status"] == "suspended"


def test_what_was_typed_for_one_pause_does_not_end_another(server: Server, waiting: dict[str, Any]) -> None:
    terminal = at_a_terminal(server, "resume", waiting["id"])
    terminal.expect("Amount")
    by_hand = {"amount": 1, "category": "travel", "pin": "123"}
    server.client.resume(waiting["id"], by_hand, by="Robin")
    for answer in ("2", "1", "", "", "", "1234"):
        terminal.sendline(answer)
    terminal.expect_exact(f"{waiting['id']} already resumed by Robin")
    assert ended(server, waiting["id"]) == by_hand


def test_without_a_terminal_the_fields_are_told_and_an_example(
    server: Server, flownb: FlowNB, waiting: dict[str, Any]
) -> None:
    refused = flownb("resume", waiting["id"])
    assert (refused.status, refused.out) == (2, "")
    assert "step 'ask' waits with a form: give --data, as in" in refused.err
    assert "amount: number, required, from 0  Amount. In euros." in refused.err
    assert "category: one of travel | meals, required  Category" in refused.err
    assert "tags: any of travel | meals  Tags" in refused.err
    example = next(line for line in refused.err.splitlines() if "--data '" in line)
    *_, data = shlex.split(example)
    assert list(json.loads(data)) == ["amount", "category", "tags", "paid", "note", "pin"]
    wrong = flownb("resume", waiting["id"], "--data", '{"amount": 0, "category": "travel", "extra": 1}')
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err.splitlines()[1:] == ["  amount: must be more than 0", "  pin: is required"]
    shown = flownb("show", waiting["id"]).out
    assert "form    amount: number, required" in shown
    assert "else    the workflow is cancelled in 23 h 59 min" in shown


def test_the_example_fits_as_far_as_fields_tell() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "name": {"type": "string", "minLength": 9},
            "age": {"type": "integer", "exclusiveMinimum": 17},
            "share": {"type": "number", "maximum": -1},
            "mail": {"type": "string", "format": "email"},
            "page": {"type": "string", "format": "uri"},
            "day": {"type": "string", "format": "date"},
            "at": {"type": "string", "format": "date-time"},
            "time": {"type": "string", "format": "time"},
            "sure": {"const": True, "type": "boolean"},
            "which": {"oneOf": [{"const": 3, "title": "three"}, {"const": "it's"}]},
            "some": {"type": "array", "items": {"enum": ["x"]}, "minItems": 1},
            "free": {"type": "object"},
            "left": {"type": "string"},
        },
    }
    schema["required"] = [name for name in schema["properties"] if name != "left"]
    said = how_to_fill(schema, "id", "step").splitlines()
    data = json.loads(shlex.split(said[1])[-1])
    assert complaints(schema, data) == {}
    assert "  which: one of 3 (three) | it's, required  Which" in said
    assert len(said) == 3 + len(fields(schema))
    assert "(the data): text, required  Answer" in how_to_fill({"type": "string"}, "id", "step")


def test_a_deadline_is_put_off(server: Server, flownb: FlowNB, waiting: dict[str, Any]) -> None:
    later = flownb("postpone", waiting["id"], "1d", "--by", "Kim")
    assert later.status == 0
    assert later.out.startswith(f"{waiting['id']} postponed until ")
    assert server.client.execution(waiting["id"])["waiting"]["wakes_at"] > waiting["waiting"]["wakes_at"]
    refused = flownb("postpone", waiting["id"], "tomorrow")
    assert (refused.status, refused.out) == (2, "")
    assert 'for: expected a time like "10s"' in refused.err


def test_who_cancelled_is_on_record(server: Server, flownb: FlowNB, waiting: dict[str, Any]) -> None:
    assert flownb("cancel", waiting["id"], "--by", "Kim", "--comment", "too much").out == f"{waiting['id']} cancelled\n"
    assert flownb("cancel", waiting["id"], "--by", "Robin").out.startswith(f"{waiting['id']} already cancelled")
    (decided,) = [entry for entry in server.client.journal(waiting["id"]) if (entry["signature"] or {}).get("by")][:1]
    assert (decided["signature"]["by"], decided["signature"]["comment"]) == ("Kim", "too much")


def test_the_login_name_stands_for_who_says_no_other(server: Server, flownb: FlowNB) -> None:
    execution = server.waiting("ask.ipynb")["id"]
    assert flownb("resume", execution).out == f"{execution} resumed\n"
    signed = [entry["signature"]["by"] for entry in server.client.journal(execution) if entry["signature"]]
    assert signed == [getpass.getuser()]
