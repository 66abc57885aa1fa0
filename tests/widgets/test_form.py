"""Forms: the widgets of each kind of field, what is wrong next to them, and what becomes of it at a pause."""

from __future__ import annotations

from typing import Any

import pytest
from ipywidgets import Checkbox, Dropdown, Password, SelectMultiple, Text, Textarea

from flownb.widgets import Inbox
from flownb.widgets.form import Form
from tests.client_support import Server, until
from tests.support.notebooks import cell, write
from tests.widgets.conftest import click, gone, row, status

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer", "minimum": 1, "description": "In <euros>"},
        "supplier": {"enum": ["Ana", "Ben"]},
        "urgent": {"type": "boolean"},
    },
    "required": ["amount", "supplier"],
}


@pytest.fixture
def asks(server: Server) -> dict[str, Any]:
    """An execution that asks for data."""
    name = "form.ipynb"
    write(
        server.root, name, cell(f"pd.flow.suspend(form={SCHEMA});", "ask"), cell("pd.steps.ask['$resume_data']['body']")
    )
    return server.waiting(name)


def inputs(form: Form) -> dict[str, Any]:
    return {one.description.removesuffix(" *"): one for one in form.children if "flownb-input" in one._dom_classes}


def said(form: Form) -> str:
    return " ".join(one.value for one in form.children if "alert" in str(one.value) and one.layout.display is None)


@pytest.mark.parametrize(
    ("schema", "made", "filled", "value"),
    [
        ({"type": "string"}, Text, "x", "x"),
        ({"type": "string", "maxLength": 500}, Textarea, "x\ny", "x\ny"),
        ({"type": "string", "format": "password"}, Password, "x", "x"),
        ({"type": "integer"}, Text, "7", 7),
        ({"type": "number"}, Text, "7.5", 7.5),
        ({"type": "boolean"}, Checkbox, True, True),
        ({"enum": [1, "one"]}, Dropdown, "1", 1),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}, SelectMultiple, ["b"], ["b"]),
        ({"type": "object"}, Textarea, '{"a": 1}', {"a": 1}),
    ],
)
def test_each_kind_of_field(schema: dict[str, Any], made: Any, filled: Any, value: Any) -> None:
    form = Form({"type": "object", "properties": {"it": schema}})
    (field,) = inputs(form).values()
    assert type(field) is made
    field.value = filled
    assert form.data() == ({"it": value}, {})


def test_defaults_are_filled_in_and_required_fields_marked() -> None:
    properties = {"due_date": {"type": "string", "default": "soon"}, "on": {"type": "boolean", "default": True}}
    form = Form({"type": "object", "properties": properties, "required": ["due_date"]})
    assert [one.description for one in inputs(form).values()] == ["Due date *", "On"]
    assert form.data() == ({"due_date": "soon", "on": True}, {})


def test_what_is_wrong_stands_next_to_its_field_and_goes_when_it_is_right() -> None:
    form = Form(SCHEMA)
    form.complain({"amount": "is <wrong>", "": "at large", "unknown": "is not asked for"})
    place = form.children.index(inputs(form)["Amount"])
    assert "is &lt;wrong&gt;" in form.children[place + 2].value, "below the field and its help"
    assert "at large; unknown: is not asked for" in form.children[0].value
    form.complain({})
    assert said(form) == ""


def test_a_form_that_is_no_object() -> None:
    form = Form({"type": "integer", "title": "How many?"})
    (field,) = inputs(form).values()
    field.value = "x"
    _, errors = form.data()
    form.complain(errors)
    assert "is not a whole number" in said(form)


def test_a_form_is_filled_in_at_a_pause(server: Server, inbox: Inbox, asks: dict[str, Any]) -> None:
    shown = row(inbox, asks)
    assert "Asks for data in a form." in shown.what.value
    click(shown.decision.approve)
    assert "fill in the form" in inbox.message.value
    form, comment, _ = shown.decision.fields.children
    fields = inputs(form)
    fields["Amount"].value, fields["Urgent"].value, comment.value = "0", True, "well"
    click(shown.decision.approve)
    assert "not accepted" in inbox.message.value
    assert "is required" in said(form)
    assert server.client.execution(asks["id"])["status"] == "suspended"
    assert (fields["Amount"].value, fields["Urgent"].value, comment.value) == ("0", True, "well")
    fields["Amount"].value, fields["Supplier"].value = "many", "Ben"
    click(shown.decision.approve)
    assert "is not a whole number" in said(form)
    fields["Amount"].value = "7"
    click(shown.decision.approve)
    assert said(form) == ""
    assert status(server, asks) == "succeeded"
    told = server.client.execution(asks["id"])["steps"][1]["exports"]["$return_value"]
    assert told == {"amount": 7, "supplier": "Ben", "urgent": True}


def test_forms_are_skipped_where_many_are_approved_and_cancelled_like_others(
    server: Server, inbox: Inbox, asks: dict[str, Any]
) -> None:
    plain = server.waiting("ask.ipynb")
    row(inbox, plain)
    row(inbox, asks)
    inbox.all.value = True
    assert inbox.approve.description == "Approve selected (2)"
    click(inbox.approve)
    assert "1 approved; 1 skipped, since there is a form to fill in or something to choose." in inbox.message.value
    gone(inbox, plain)
    until(lambda: True if inbox.cancel.disabled else None)
    row(inbox, asks).selected.value = True
    click(inbox.cancel)
    assert "1 cancelled." in inbox.message.value
    assert status(server, asks) == "cancelled"


def test_what_is_approved_is_chosen_where_there_are_several_things(server: Server, inbox: Inbox) -> None:
    name = "choice.ipynb"
    asked = f"[pd.flow.request('fine'), pd.flow.form({SCHEMA}, name='other', reason='Another amount')]"
    write(server.root, name, cell(f"pd.flow.wait(first_of={asked});", "ask"), cell("pd.steps.ask['$resume_data']"))
    waits = server.waiting(name)
    shown = row(inbox, waits)
    which = shown.decision.buttons.children[0]
    assert which.options == (("fine", "fine"), ("other: Another amount", "other"))
    which.value = "other"
    click(shown.decision.approve)
    assert "fill in the form" in inbox.message.value
    form, *_ = shown.decision.fields.children
    fields = inputs(form)
    fields["Amount"].value, fields["Supplier"].value = "7", "Ben"
    click(shown.decision.approve)
    assert status(server, waits) == "succeeded"
    told = server.client.execution(waits["id"])["steps"][1]["exports"]["$return_value"]
    assert (told["which"], told["body"]) == ("other", {"amount": 7, "supplier": "Ben", "urgent": False})
