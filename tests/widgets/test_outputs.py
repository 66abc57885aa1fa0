"""Outputs of others, shown where scripts would run."""

from __future__ import annotations

from typing import Any

import pytest

from flownb.widgets.outputs import LONGEST, harmless

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def shown(**data: Any) -> dict[str, str]:
    (output,) = harmless(
        [{"output_type": "display_data", "data": {k.replace("_", "/", 1): v for k, v in data.items()}}]
    )
    found: dict[str, str] = output["data"]
    return found


def test_markup_is_in_a_frame_that_runs_nothing() -> None:
    html = shown(text_html=["<table><tr>", EVIL], text_plain="a table")["text/html"]
    assert html.startswith('<iframe sandbox="" ')
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "default-src &#x27;none&#x27;" in html


def test_pictures_are_shown_as_they_are_and_drawings_in_a_frame() -> None:
    assert shown(image_png="aGk=", text_html=EVIL, text_plain="x") == {"image/png": "aGk=", "text/plain": "x"}
    drawn = shown(**{"image_svg+xml": f"<svg>{EVIL}</svg>"})
    assert drawn["text/html"].startswith('<iframe sandbox="" ')
    assert EVIL not in drawn["text/html"]


@pytest.mark.parametrize("mime", ["text_markdown", "text_latex"])
def test_what_may_hold_markup_is_shown_as_it_is_written(mime: str) -> None:
    assert shown(**{mime: ["# ", EVIL]}) == {"text/plain": f"# {EVIL}"}


def test_scripts_and_widgets_are_named_only() -> None:
    assert shown(application_javascript="alert(1)") == {"text/plain": "(application/javascript)"}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}
    assert harmless([{"output_type": "display_data", "data": {**view, "text/plain": "Text()"}}])[0]["data"] == {
        "text/plain": "Text()"
    }


def test_long_texts_are_cut() -> None:
    (output,) = harmless([{"output_type": "stream", "name": "stdout", "text": "x" * (LONGEST + 5)}])
    assert output["text"].endswith("... 5 characters more: see the executed notebook")
