"""Outputs as a notebook holds them, out of what a kernel publishes."""

from __future__ import annotations

from typing import Any

import nbformat
import nbformat.v4
import pytest

from flownb.bridge import outputs
from flownb.bridge.outputs import Outputs
from flownb.core.model import Json

Message = tuple[str, dict[str, Any]]


def printed(text: str, name: str = "stdout") -> Message:
    return "stream", {"name": name, "text": text}


def shown(text: str, display_id: str | None = None) -> Message:
    transient = {} if display_id is None else {"display_id": display_id}
    return "display_data", {"data": {"text/plain": text}, "metadata": {}, "transient": transient}


def updated(text: str, display_id: str) -> Message:
    return "update_display_data", shown(text, display_id)[1]


def clear(wait: bool = False) -> Message:
    return "clear_output", {"wait": wait}


def collected(*messages: Message) -> list[Json]:
    """What a cell shows after these messages, valid in a notebook."""
    collecting = Outputs()
    for kind, content in messages:
        collecting.take(kind, content)
    found = collecting.so_far
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.from_dict(output) for output in found])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    return found


def texts(*messages: Message) -> list[str]:
    return [output.get("text") or output["data"]["text/plain"] for output in collected(*messages)]


def test_a_stream_that_goes_on_is_one_output() -> None:
    found = collected(printed("a"), printed("b"), printed("c", "stderr"), printed("d"), shown("e"), printed("f"))
    assert [(output["output_type"], output.get("name"), output.get("text")) for output in found] == [
        ("stream", "stdout", "ab"),
        ("stream", "stderr", "c"),
        ("stream", "stdout", "d"),
        ("display_data", None, None),
        ("stream", "stdout", "f"),
    ]


def test_results_and_errors_are_kept_as_they_are() -> None:
    result = {"data": {"text/plain": "1", "text/html": "<b>1</b>"}, "metadata": {"a": 1}, "execution_count": 3}
    error = {"ename": "ValueError", "evalue": "no", "traceback": ["line 1", "line 2"]}
    assert collected(("execute_result", result), ("error", error)) == [
        {"output_type": "execute_result", **result},
        {"output_type": "error", **error},
    ]


def test_messages_that_show_nothing_are_passed_over() -> None:
    assert collected(("comm_open", {}), ("execute_input", {"code": "1"}), ("of another kind", {})) == []


def test_clearing_drops_what_was_shown() -> None:
    assert texts(printed("old"), shown("old"), clear(), printed("new")) == ["new"]
    assert texts(printed("old"), clear()) == []


def test_clearing_may_wait_for_something_new() -> None:
    assert texts(printed("old"), clear(wait=True)) == ["old"]
    assert texts(printed("old"), clear(wait=True), printed("new"), printed("er")) == ["newer"]
    assert texts(printed("old"), clear(wait=True), clear(), printed("new")) == ["new"]
    assert texts(printed("old"), clear(wait=True), ("comm_open", {})) == ["old"]


def test_an_update_changes_every_display_of_its_id() -> None:
    assert texts(shown("1", "x"), shown("1", "y"), shown("1", "x"), updated("2", "x")) == ["2", "1", "2"]
    assert texts(shown("1", "x"), updated("2", "unknown")) == ["1"]
    assert texts(shown("1", "x"), clear(), updated("2", "x"), shown("3", "x"), updated("4", "x")) == ["4"]


def test_what_was_read_earlier_does_not_change() -> None:
    collecting = Outputs()
    for kind, content in (printed("a"), shown("1", "x")):
        collecting.take(kind, content)
    before = collecting.so_far
    for kind, content in (updated("2", "x"), clear(), printed("b")):
        collecting.take(kind, content)
    assert [output.get("text") or output["data"]["text/plain"] for output in before] == ["a", "1"]


def test_beyond_the_limit_only_errors_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_CHARACTERS", 100)
    error = {"ename": "ValueError", "evalue": "no" * 100, "traceback": []}
    found = collected(printed("x" * 60), printed("y" * 60), shown("z"), printed("w"), ("error", error))
    assert [output["output_type"] for output in found] == ["stream", "stream", "error"]
    assert found[0]["text"] == "x" * 60
    assert "beyond 100 characters" in found[1]["text"]


def test_a_clock_that_redraws_itself_does_not_use_up_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_CHARACTERS", 100)
    ticks = [message for n in range(100) for message in (clear(wait=True), printed(f"tick {n}"))]
    assert texts(*ticks) == ["tick 99"]
    assert texts(shown("0", "x"), *(updated(f"{n}", "x") for n in range(1000))) == ["999"]


def test_updates_cannot_outgrow_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_CHARACTERS", 100)
    assert texts(shown("0", "x"), updated("1" * 101, "x"))[0] == "0"


@pytest.mark.parametrize(
    "message",
    [
        ("stream", {}),
        ("stream", {"name": "stdout", "text": None}),
        ("stream", {"name": "stdout", "text": [1]}),
        ("display_data", {"data": {"text/plain": 3}, "metadata": {}}),
        ("display_data", {"data": [], "metadata": {}}),
        ("update_display_data", {"data": {"text/plain": 3}, "metadata": {}, "transient": {"display_id": "x"}}),
        ("update_display_data", {"transient": {"display_id": "x"}}),
        ("error", {"ename": "E"}),
    ],
)
def test_what_no_notebook_can_hold_is_left_out_with_a_word(message: Message) -> None:
    *before, note, after = texts(printed("a"), shown("b", "x"), message, printed("c"))
    assert (before, after) == (["a", "b"], "c")
    assert note == f"\n[flownb: a {message[0]} message that no notebook can hold is not kept]\n"


def test_a_stream_in_pieces_is_one_text() -> None:
    pieces = ("stream", {"name": "stdout", "text": ["a", "b"]})
    assert texts(pieces, pieces) == ["abab"]
