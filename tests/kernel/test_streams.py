"""What a cell prints arrives, and what it does not print costs nothing."""

from __future__ import annotations

from .conftest import Kernel

COUNTED = """
import sys
thread, asked = sys.stdout.pub_thread, []
schedule = thread.schedule
thread.schedule = lambda call: (asked.append(call), schedule(call))
sys.stdout.flush(); sys.stderr.flush()
empty = len(asked)
print("said", end=""); sys.stdout.flush()
full = len(asked)
thread.schedule = schedule
"""


def test_a_stream_that_is_empty_wakes_no_thread(kernel: Kernel) -> None:
    ran = kernel.step(COUNTED)
    assert ran.text == "said"
    assert kernel.value("empty") == "0"
    assert kernel.value("full > 0") == "True"


def test_text_that_comes_by_other_ways_arrives(kernel: Kernel) -> None:
    assert "echoed" in kernel.step("!echo echoed").text
    source = "import threading\nthread = threading.Thread(target=print, args=['aside'])\nthread.start(); thread.join()"
    assert "aside" in kernel.step(source).text
