"""A step from the server's view: metadata in, a reply out."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable

import pytest

from .conftest import COLLECT, LINKS, NOTHING_ASKED, Kernel, about_step

SETUP = {"mode": "setup"}


def test_prepare_replies_with_versions_and_applies_what_it_is_told(new_kernel: Callable[[], Kernel]) -> None:
    kernel = new_kernel()
    reply = kernel.prepare(environment={"GREETING": "hi"}, memory_limit=8 << 30, bind_pd=False)
    assert reply == {
        "version": "0.1.0",
        "python": ".".join(map(str, sys.version_info[:3])),
        "executable": sys.executable,
        "there": True,
    }
    assert kernel.value("__import__('os').environ['GREETING']") == "'hi'"
    assert kernel.value("__import__('os').getcwd()") == repr(str(kernel.folder))
    assert kernel.value("__import__('resource').getrlimit(2)[0]") == str(8 << 30)
    assert kernel.value("'pd' in globals()") == "False"
    kernel.prepare()
    assert kernel.value("'pd' in globals()") == "True"
    assert kernel.step("pd.export('a', 1)").asked["exports"] == {"a": 1}


def test_an_authors_pd_stays(new_kernel: Callable[[], Kernel]) -> None:
    kernel = new_kernel()
    kernel.execute("pd = 'pandas'")
    kernel.prepare()
    assert kernel.value("pd") == "'pandas'"
    assert kernel.step("import flownb; flownb.pd.export('a', pd)").asked["exports"] == {"a": "pandas"}


def test_nothing_asked(kernel: Kernel) -> None:
    assert kernel.step("x = 1").asked == NOTHING_ASKED


def test_pauses_in_order_and_exit(kernel: Kernel) -> None:
    asked = kernel.step(
        """
        from datetime import timedelta
        pd.flow.suspend()
        pd.flow.suspend(timedelta(seconds=2), on_timeout="cancel", reason="why", form={"type": "object"}, confirm=True)
        pd.flow.rerun(0, {"a": (1,)}, 3)
        pd.flow.rerun(5, max_retries=0)
        pd.flow.delay(7)
        pd.flow.exit("enough")
        """
    ).asked
    assert asked["pauses"] == [
        {
            "kind": "suspend",
            "after_ms": 86_400_000,
            "on_timeout": "resume",
            "reason": None,
            "form": None,
            "confirm": None,
            "remind_every": None,
        },
        {
            "kind": "suspend",
            "after_ms": 2000,
            "on_timeout": "cancel",
            "reason": "why",
            "form": {"type": "object"},
            "confirm": True,
            "remind_every": None,
        },
        {"kind": "rerun", "after_ms": 0, "context": {"a": [1]}, "max_retries": 3},
        {"kind": "rerun", "after_ms": 5, "context": None, "max_retries": 0},
        {"kind": "delay", "after_ms": 7},
    ]
    assert asked["exit"] == {"reason": "enough"}


def test_each_call_is_announced_while_the_step_runs(kernel: Kernel) -> None:
    ran = kernel.step(
        """
        import threading
        thread = threading.Thread(target=pd.flow.suspend, kwargs={"confirm": True})
        thread.start(); thread.join()
        print("after", flush=True)
        pd.flow.delay(1)
        """,
        step="wait",
    )
    kinds = [output["msg_type"] for output in ran.outputs if output["msg_type"] != "execute_result"]
    assert kinds == ["flownb_pause_asked", "stream", "flownb_pause_asked"]
    calls = [json.loads(content["call"]) for content in ran.of_type("flownb_pause_asked")]
    assert [(call["kind"], call.get("confirm")) for call in calls] == [("suspend", True), ("delay", None)]


def test_links_are_masked_as_a_last_value_and_not_exported(kernel: Kernel) -> None:
    ran = kernel.step("pd.flow.suspend()")
    assert "s3cret" not in ran.text
    assert "http://host/flownb/resume/…" in ran.text
    assert ran.asked["exports"] == {}
    assert ran.asked["warnings"] == []
    assert kernel.step("links = pd.flow.suspend(); print(links['resume_url'])").text.strip() == LINKS["resume_url"]


def test_no_link_is_exported_in_a_container_or_by_name(kernel: Kernel) -> None:
    last_value = kernel.step("{'x': [pd.flow.suspend()]}")
    assert "s3cret" not in last_value.text
    assert last_value.asked["exports"] == {}
    assert "holds a link" in last_value.asked["warnings"][0]
    assert kernel.step("pd.export('x', dict(pd.flow.suspend()))").reply["ename"] == "InvalidValue"
    assert kernel.step("pd.export('x', links.review_url)").reply["ename"] == "InvalidValue"
    handler = kernel.step("def handler(pd):\n    return pd.flow.suspend()")
    assert "s3cret" not in handler.text
    assert handler.asked["exports"] == {}
    assert "holds a link" in handler.asked["warnings"][0]


@pytest.mark.parametrize(
    ("code", "exports"),
    [
        ("[1, {'a': (2,)}]", {"$return_value": [1, {"a": [2]}]}),
        ("1;", {}),
        ("None", {}),
        ("object()", {}),
        ("await __import__('asyncio').sleep(0, 'slept')", {"$return_value": "slept"}),
        ("pd.export('a', 1)\n2", {"a": 1, "$return_value": 2}),
        (r"pd.export('\ud800', '\udc00')", {"\ud800": "\udc00"}),
    ],
)
def test_exports_and_the_value_shown(kernel: Kernel, code: str, exports: dict[str, object]) -> None:
    assert kernel.step(code).asked == {**NOTHING_ASKED, "exports": exports}


def test_a_last_value_too_large_is_a_warning_and_an_export_an_error(kernel: Kernel) -> None:
    asked = kernel.step("list(range(10_000))").asked
    assert asked["exports"] == {}
    assert "larger than 10,000 bytes" in asked["warnings"][0]
    assert "more than the 10,000 allowed" in kernel.step("pd.export('big', 'x' * 10_000)").reply["evalue"]


@pytest.mark.parametrize("name", ["''", "'$a'", "1", "None"])
def test_names_that_cannot_be_exported(kernel: Kernel, name: str) -> None:
    assert kernel.step(f"pd.export({name}, 1)").reply["ename"] == "InvalidValue"


def test_an_error_leaves_nothing_for_the_next_step(kernel: Kernel) -> None:
    failed = kernel.step("pd.export('a', 1); pd.flow.suspend(); 1/0")
    assert failed.reply["status"] == "error"
    assert failed.reply["ename"] == "ZeroDivisionError"
    assert kernel.step("b = 2").asked == NOTHING_ASKED


def test_a_thread_left_over_has_no_step(kernel: Kernel) -> None:
    code = """
        import threading, asyncio
        go, done, said = threading.Event(), threading.Event(), []
        def later():
            go.wait()
            for call in (pd.flow.suspend, lambda: pd.export("a", 1), pd.flow.exit):
                try: call()
                except Exception as error: said.append(str(error))
            done.set()
        threading.Thread(target=later, daemon=True).start()
        """
    assert kernel.step(code, step="first").asked == NOTHING_ASKED
    assert kernel.value("(go.set(), done.wait(), said)[2]").count("no step is running") == 3


def test_steps_and_context_are_read_both_ways(kernel: Kernel) -> None:
    code = """
        run = pd.context.run
        [pd.steps["a"]["x"], pd.steps.a.x, pd.steps.a.y, pd.steps.a.return_value.y, pd.steps.a.resume_data,
         run.runs, run["context"], run.callback_request, "callback_request" in run, pd.steps.trigger.event.body]
        """
    asked = kernel.step(
        code,
        steps={
            "a": {"x": 1, "$return_value": {"x": 0, "y": 2}},
            "trigger": {"event": {"body": "hi"}, "context": {}},
        },
        context={"run": {"runs": 2, "context": {"n": 3}}},
    ).asked
    assert asked["exports"]["$return_value"] == [1, 1, 2, 2, None, 2, {"n": 3}, None, False, "hi"]


@pytest.mark.parametrize("call", ["pd.flow.suspend()", "pd.flow.rerun(1)", "pd.flow.delay(1)", "pd.flow.exit()"])
def test_setup_cells_have_no_say_in_the_flow(kernel: Kernel, call: str) -> None:
    assert kernel.step(call, **SETUP).reply["evalue"].endswith("setup cells may not call pd.flow")


def test_setup_cells_export_nothing(kernel: Kernel) -> None:
    assert kernel.step("pd.export('a', 1)", **SETUP).reply["ename"] == "FlowNBError"
    assert kernel.step("1", **SETUP).asked == NOTHING_ASKED
    assert kernel.step("def handler(pd): return 1 / 0", **SETUP).asked == NOTHING_ASKED


def test_a_cell_within_a_cell_is_part_of_the_step(kernel: Kernel) -> None:
    ran = kernel.step(
        """
        pd.export("a", 1)
        get_ipython().run_cell("pd.export('b', 2)")
        pd.export("c", 3)
        """
    )
    assert ran.asked["exports"] == {"a": 1, "b": 2, "c": 3}


def test_code_in_a_subshell_leaves_the_step_alone(kernel: Kernel) -> None:
    if kernel.value("getattr(get_ipython().kernel, '_supports_kernel_subshells', False)") != "True":
        pytest.skip("this ipykernel has no subshells")
    kernel.execute("import threading, time; began, other = threading.Event(), threading.Event()")
    step, other = kernel.execute_beside(
        "began.set(); pd.export('a', other.wait(10)); time.sleep(0.5); pd.flow.delay(1);",
        "began.wait(10); other.set()",
    )
    assert other.reply["status"] == "ok"
    assert step.asked["exports"] == {"a": True}
    assert len(step.asked["pauses"]) == 1


def test_collect_needs_a_step(kernel: Kernel) -> None:
    ran = kernel.execute("1", COLLECT)
    assert ran.reply["user_expressions"]["flownb"]["ename"] == "FlowNBError"


def test_an_interrupted_cell_ends_its_step(kernel: Kernel) -> None:
    for code in (
        "import asyncio, time; time.sleep(30)",
        "await asyncio.sleep(30)",
        "await asyncio.sleep(0); time.sleep(30)",
        "def handler(pd): time.sleep(30)",
    ):
        timer = threading.Timer(1, kernel.interrupt)
        timer.start()
        start = time.monotonic()
        assert kernel.execute(code, COLLECT, about_step()).reply["status"] == "error"
        assert time.monotonic() - start < 10
        timer.join()
    assert kernel.step("1").asked["exports"] == {"$return_value": 1}
