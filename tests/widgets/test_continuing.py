"""The buttons to go on: by themselves, and in the kernel of an opened execution."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from flownb.widgets import Continue
from tests.support.notebooks import cell
from tests.support.opened import OpenedKernel, opened
from tests.support.server import Server, step


def click(*buttons: Callable[[], None]) -> None:
    """As the front end does it, each in a thread of its own."""
    threads = [threading.Thread(target=button) for button in buttons]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


class Wishes:
    """What was asked for; all of it succeeds."""

    def __init__(self) -> None:
        self.heard: list[bool] = []

    def __call__(self, replay: bool) -> str:
        self.heard.append(replay)
        return "It <goes> on."


def test_the_first_button_goes_on_here_and_the_second_as_a_new_execution() -> None:
    for button, asked in (("here", False), ("anew", True)):
        wishes = Wishes()
        widget = Continue(wishes)
        click(getattr(widget, button).click)
        assert wishes.heard == [asked]
        assert "It &lt;goes&gt; on." in widget.message.value
        assert (widget.here.disabled, widget.anew.disabled) == (True, True)


@pytest.mark.parametrize(("error", "said"), [(OSError("no room"), "no room"), (KeyError(), "KeyError")])
def test_what_goes_wrong_is_shown_and_can_be_tried_again(error: Exception, said: str) -> None:
    def go_on(replay: bool) -> str:
        if replay:
            return "done"
        raise error

    widget = Continue(go_on)
    click(widget.here.click)
    assert said in widget.message.value
    assert (widget.here.disabled, widget.anew.disabled) == (False, False)
    click(widget.anew.click)
    assert "done" in widget.message.value


def test_of_two_clicks_at_once_one_counts() -> None:
    wishes = Wishes()
    widget = Continue(wishes)
    click(widget.here.click, widget.anew.click, widget.here.click)
    assert len(wishes.heard) == 1


CLICK = """(lambda buttons, thread: (thread.start(), thread.join(), print(buttons.message.value)))(
    _, __import__('threading').Thread(target=_.{button}.click))"""


def clicked(kernel: OpenedKernel, button: str) -> str:
    """Press a button of the widget that was shown last, in another thread of its kernel."""
    return kernel.run(CLICK.format(button=button) + ";")


def test_in_an_opened_kernel_the_cell_of_its_notebook_goes_on(shared_server: Server) -> None:
    execution = shared_server.run(
        cell("rows = [1]", "load"), cell("pd.flow.suspend()", "ask"), cell("[rows, pd.context.resume.body]", "told")
    )
    shared_server.wait(execution, "suspended")
    with opened(shared_server, execution) as kernel:
        kernel.run("rows.append(2)")
        kernel.run("import flownb\n\nflownb.Continue()")
        assert f"Execution {execution} goes on; you changed &#x27;rows&#x27;." in clicked(kernel, "here")
        done = shared_server.wait(execution, "succeeded")
        assert step(done, "told")["exports"]["$return_value"] == [[1, 2], None]
        kernel.run("flownb.Continue()")
        assert "was resumed at" in clicked(kernel, "here")
        assert "as a replay of" in clicked(kernel, "anew")


def test_elsewhere_it_says_that_nothing_is_open(shared_server: Server) -> None:
    execution = shared_server.run(cell("import flownb\nbuttons = flownb.Continue()", "show"), "buttons.here.click()")
    shared_server.wait(execution, "succeeded")
    code = "import flownb; b = flownb.Continue(); b.here.click(); assert 'no execution open' in b.message.value"
    assert subprocess.run([sys.executable, "-c", code], timeout=20).returncode == 0


def test_it_is_loaded_only_when_it_is_used_and_says_what_to_do_without_ipywidgets() -> None:
    code = """if True:
        import sys, flownb
        assert 'ipywidgets' not in sys.modules
        sys.modules['ipywidgets'] = None
        try:
            flownb.Continue()
        except ImportError as error:
            assert 'use pd.continue_()' in str(error)
        else:
            raise AssertionError"""
    assert subprocess.run([sys.executable, "-c", code], timeout=20).returncode == 0
