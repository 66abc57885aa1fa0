"""What a terminal shows, and what a pipe gets."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from flownb.cli.progress import Progress


def execution(status: str, *steps: tuple[str, str], **more: Any) -> dict[str, Any]:
    numbers = dict.fromkeys(("compute_ms", "suspended_ms", "segments", "credits"), 1)
    made: list[dict[str, Any]] = [
        {"name": name, "status": state, "runs": 1, "compute_ms": 1, "exports": {}, "error": None}
        for name, state in steps
    ]
    plain: dict[str, Any] = {
        "id": "e1",
        "workflow": "w.ipynb",
        "status": status,
        "reason": None,
        "warnings": [],
        "waiting": None,
    }
    return {**plain, **numbers, "steps": made, **more}


def waiting(**changed: Any) -> dict[str, Any]:
    link = "http://127.0.0.1:8888/flownb/review/" + 43 * "x"
    plain = {"kind": "suspend", "step": "ask", "since": "2026-11-23T12:00:00.000Z", "on_timeout": "resume"}
    counted = {"runs": 1, "max_retries": None, "reason": None, "wakes_at": "2126-11-23T12:00:00.000Z"}
    return {**plain, **counted, "review_url": link, **changed}


LIFE = [
    execution("queued", ("ask", "pending"), ("tell", "pending")),
    execution("running", ("ask", "running"), ("tell", "pending")),
    execution("suspended", ("ask", "suspended"), ("tell", "pending"), waiting=waiting()),
    execution("suspended", ("ask", "suspended"), ("tell", "pending"), waiting=waiting()),
    execution("running", ("ask", "succeeded"), ("tell", "running"), warnings=["mind the step"]),
    execution("succeeded", ("ask", "succeeded"), ("tell", "succeeded"), warnings=["mind the step"]),
]


def shown(states: list[dict[str, Any]], *, terminal: bool, width: int = 60) -> str:
    file = io.StringIO()
    with Progress(Console(file=file, force_terminal=terminal, width=width)) as progress:
        for state in states:
            progress.show(state)
    return file.getvalue()


def test_every_piece_of_news_is_one_plain_line() -> None:
    lines = shown(LIFE, terminal=False).splitlines()
    starts = ["w.ipynb", "  ⏸ ask", "      review", "      resume", "      cancel", "      else"]
    starts += ["  ✓ ask", "  ! mind the step", "  ✓ tell", "✓ succeeded"]
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))


def test_a_link_is_never_broken_into_lines() -> None:
    assert LIFE[2]["waiting"]["review_url"] in shown(LIFE, terminal=False, width=40)


def test_a_terminal_sees_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = shown(LIFE[:3], terminal=True, width=200)
    assert "ask waits" in screen
    assert "0/2" in screen


def test_a_short_wait_that_ends_by_itself_shows_no_links() -> None:
    soon = waiting(kind="rerun", max_retries=3, runs=2, wakes_at="2000-01-01T00:00:00.000Z")
    (_, line) = shown([execution("suspended", ("ask", "suspended"), waiting=soon)], terminal=False).splitlines()
    assert line.split("  ")[1:] == ["⏸ ask", "waits", "run 2 of 4", "the step runs again by itself in 0 ms"]


def test_markup_in_what_authors_wrote_is_text() -> None:
    said = waiting(reason="[red]really[/]?")
    assert "[red]really[/]?" in shown([execution("suspended", ("ask", "suspended"), waiting=said)], terminal=False)
