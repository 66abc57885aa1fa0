"""Kernels on this machine: their steps, their ends, and what is left of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from flownb.bridge import conversation, local
from flownb.bridge.local import LocalKernel
from flownb.bridge.port import AskFailed, KernelDied, KernelStartFailed, Spec, StepTimeout
from flownb.core.jsonvalue import dumps
from tests.bridge.at_work import (
    PYTHON,
    children,
    kernels,
    kernelspec,
    one_kernel,
    raised,
    returned,
    run,
    step,
    with_kernel,
)
from tests.support.asyncio import in_loop


def text(outputs: list[Any]) -> str:
    return "".join(output.get("text", "") for output in outputs)


@with_kernel
async def test_a_step_gives_its_outputs_and_what_it_asked_for(kernel: LocalKernel) -> None:
    asked: list[str] = []
    source = "import sys; print('out'); print('err', file=sys.stderr); pd.export('a', 1); pd.flow.suspend(1000); 'last'"
    ran = await run(kernel, source, on_pause_asked=lambda call: asked.append(call["kind"]))
    assert ran.error is None
    assert sorted(output["output_type"] for output in ran.outputs) == ["execute_result", "stream", "stream"]
    assert ran.collected["exports"] == {"a": 1, "$return_value": "last"}
    assert [(pause["kind"], pause["after_ms"]) for pause in ran.collected["pauses"]] == [("suspend", 1000)]
    assert asked == ["suspend"]


@with_kernel
async def test_a_step_that_raises_gives_its_error(kernel: LocalKernel) -> None:
    ran = await run(kernel, "print('before')\n1 / 0")
    assert ran.error is not None
    assert (ran.error.ename, ran.error.evalue, ran.collected) == ("ZeroDivisionError", "division by zero", None)
    assert "ZeroDivisionError" in ran.error.traceback[-1]
    assert ran.outputs[0]["text"] == "before\n"
    assert await returned(kernel, "'usable'") == "usable"


@in_loop
async def test_a_kernel_works_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    async with one_kernel(tmp_path, environment={"GREETING": "hello"}) as kernel:
        found = await returned(kernel, "import os; [os.getcwd(), os.environ['GREETING']]")
        assert found == [str(tmp_path), "hello"]


@with_kernel
async def test_input_raises(kernel: LocalKernel) -> None:
    ran = await run(kernel, "input('name? ')")
    assert ran.error is not None
    assert ran.error.ename == "StdinNotImplementedError"


@with_kernel
async def test_a_flood_of_outputs_loses_no_result(kernel: LocalKernel) -> None:
    ran = await run(kernel, "for n in range(20_000): print(f'{n}\\n', end='', flush=True)\n'done'")
    assert ran.collected["exports"] == {"$return_value": "done"}
    lines = [int(line) for line in text(ran.outputs).splitlines() if line.isdigit()]  # and the word of a gateway
    assert lines == sorted(set(lines))  # some may be lost, none comes twice or out of order
    assert await returned(kernel, "'usable'") == "usable"


@with_kernel
async def test_outputs_can_be_read_while_the_step_runs(kernel: LocalKernel) -> None:
    running = kernel.execute(step("print('so far', flush=True)\nimport time; time.sleep(60)"))
    while "so far" not in text(running.outputs):
        await asyncio.wait([kernel.died], timeout=0.01)
    finishing = asyncio.create_task(running.finished())
    await kernel.interrupt()
    ran = await finishing
    assert ran.error is not None
    assert ran.error.ename == "KeyboardInterrupt"


@with_kernel
async def test_an_output_that_no_notebook_can_hold_costs_no_result(kernel: LocalKernel) -> None:
    ran = await run(kernel, "print('seen'); display({'text/plain': 3}, raw=True)\n'result'")
    assert ran.collected["exports"] == {"$return_value": "result"}
    assert [output["output_type"] for output in ran.outputs] == ["stream", "stream", "execute_result"]
    assert "display_data message that no notebook can hold" in ran.outputs[1]["text"]
    assert await returned(kernel, "'usable'") == "usable"


@with_kernel
async def test_a_step_beyond_its_timeout_is_interrupted(kernel: LocalKernel) -> None:
    source = "try:\n    import time; time.sleep(60)\nfinally:\n    print('cleaned up')"
    running = kernel.execute(step(source, timeout=300))
    assert "300 ms" in await raised(running.finished(), StepTimeout)
    assert text(running.outputs) == "cleaned up\n"


@in_loop
async def test_a_step_that_takes_no_interrupt_ends_with_its_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "INTERRUPT_SECONDS", 0.3)
    async with one_kernel(tmp_path) as kernel:
        source = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
        running = kernel.execute(step(source + "while True: time.sleep(1)", timeout=300))
        await raised(running.finished(), StepTimeout)
        before = children()
        await kernel.shutdown()
        assert len(before - children()) == 1


def place(folder: Path) -> tuple[str, str, str]:
    """Place, file and limit of a checkpoint."""
    return dumps({"folder": str(folder), "pool": str(folder / "pool")}), "0.snapshot", ""


@in_loop
async def test_a_checkpoint_follows_its_step(tmp_path: Path) -> None:
    async with kernels(tmp_path) as made:
        spec = Spec(PYTHON, tmp_path)
        first, second = await asyncio.gather(made.start(spec), made.start(spec))
        running = first.execute(step("x = ['kept']", checkpoint=place(tmp_path)))
        assert (await running.finished()).error is None
        saved = running.saved()
        await second.ask("snapshot", "load", *place(tmp_path)[:2], saved["digest"])
        assert await returned(second, "x") == ["kept"]


@in_loop
async def test_nothing_is_saved_behind_a_step_that_raised(tmp_path: Path) -> None:
    async with one_kernel(tmp_path) as kernel:
        ran = await kernel.execute(step("1 / 0", checkpoint=place(tmp_path))).finished()
        assert ran.error is not None
        assert await returned(kernel, "1") == 1
    assert not (tmp_path / "0.snapshot").exists()


UNPICKLABLE = """
class Last:
    def __reduce__(self):
        import os, time
        {what}
last = Last()
pd.export("x", 1)
"""


@in_loop
async def test_a_kernel_that_dies_while_it_saves_has_given_the_result_before(tmp_path: Path) -> None:
    async with one_kernel(tmp_path) as kernel:
        running = kernel.execute(step(UNPICKLABLE.format(what="os._exit(3)"), checkpoint=place(tmp_path)))
        ran = await running.finished()
        assert ran.collected["exports"] == {"x": 1}
        with pytest.raises(KernelDied, match="exit status 3"):
            running.saved()


@in_loop
async def test_saving_may_be_interrupted(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with one_kernel(tmp_path) as kernel:
        blocks = UNPICKLABLE.format(what=f"open({str(fifo)!r}, 'w').close(); time.sleep(60)")
        running = kernel.execute(step(blocks, checkpoint=place(tmp_path)))
        await asyncio.to_thread(fifo.read_text)
        await kernel.interrupt()
        assert (await running.finished()).error is None
        with pytest.raises(AskFailed) as failed:
            running.saved()
        assert failed.value.ename == "KeyboardInterrupt"
        assert await returned(kernel, "1") == 1


@with_kernel
async def test_code_of_ours_that_raises_names_the_exception(kernel: LocalKernel) -> None:
    with pytest.raises(AskFailed) as failed:
        await kernel.ask("snapshot", "load", *place(Path("/nowhere"))[:2], "")
    assert (failed.value.ename, "/nowhere" in str(failed.value)) == ("CheckpointMissing", True)
    with pytest.raises(AskFailed) as failed:
        await kernel.ask("unknown", "function")
    assert failed.value.ename == "ModuleNotFoundError"


@in_loop
async def test_two_kernels_keep_their_replies_apart(tmp_path: Path) -> None:
    async with kernels(tmp_path) as made:
        spec = Spec(PYTHON, tmp_path)
        both = await asyncio.gather(made.start(spec), made.start(spec))
        await asyncio.gather(*(run(kernel, f"own = {place}") for place, kernel in enumerate(both)))
        for _ in range(20):
            found = await asyncio.gather(*(returned(kernel, "print(own)\nown") for kernel in both))
            assert found == [0, 1]


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("import os; os._exit(7)", "exit status 7"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL, as the system does when memory runs out"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
    ids=["exit", "kill", "segfault"],
)
@in_loop
async def test_a_kernel_that_dies_in_a_step_says_how(tmp_path: Path, source: str, how: str) -> None:
    async with one_kernel(tmp_path) as kernel:
        running = kernel.execute(step(source, checkpoint=place(tmp_path)))
        asking = asyncio.create_task(kernel.ask("step", "collect"))
        assert how in await raised(running.finished(), KernelDied)
        assert how in await raised(asking, KernelDied)
        assert how in await kernel.died
        assert how in await raised(run(kernel, "1"), KernelDied)
        await kernel.interrupt()
        await kernel.shutdown()


@with_kernel
async def test_a_kernel_that_dies_while_idle_is_noticed(kernel: LocalKernel) -> None:
    os.kill(await returned(kernel, "import os; os.getpid()"), signal.SIGKILL)
    died = await kernel.died
    assert "SIGKILL" in died or "its process ended" in died
    assert died in await raised(kernel.ask("step", "collect"), KernelDied)


@with_kernel
async def test_a_kernel_that_is_shut_down_did_not_die(kernel: LocalKernel) -> None:
    running = kernel.execute(step("import time; time.sleep(60)"))
    await asyncio.gather(kernel.shutdown(), kernel.shutdown())
    await kernel.shutdown()
    assert "shut down" in await raised(running.finished(), KernelDied)
    assert "shut down" in await raised(run(kernel, "1"), KernelDied)
    assert not kernel.died.done()


@in_loop
async def test_a_step_that_takes_too_much_memory_gets_a_memory_error(tmp_path: Path) -> None:
    async with one_kernel(tmp_path, memory_limit=600_000_000) as kernel:
        ran = await run(kernel, "large = bytearray(2_000_000_000)")
        assert ran.error is not None
        assert ran.error.ename == "MemoryError"
        assert await returned(kernel, "len(bytearray(10_000_000))") == 10_000_000


@in_loop
async def test_a_kernel_that_cannot_start_says_why_in_its_own_words(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    kernelspec(specs, "quits", sys.executable, "-c", "import sys; sys.exit('a library is missing')")
    kernelspec(specs, "no-program", "/nowhere/python", "-m", "ipykernel_launcher", "-f", "{connection_file}")
    before = children()
    async with kernels(tmp_path, specs) as made:
        for name, words in [
            ("unknown", "No such kernel named unknown"),
            ("no-program", "/nowhere/python"),
            ("quits", "it said: a library is missing"),
        ]:
            assert words in await raised(made.start(Spec(name, tmp_path)), KernelStartFailed)
        missing = made.start(Spec(PYTHON, tmp_path / "missing"))
        assert "No such file or directory" in await raised(missing, KernelStartFailed)
        assert left_behind(made) == []
    assert children() == before


@in_loop
async def test_a_kernel_that_is_killed_while_it_starts_has_died(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    kernelspec(specs, "killed", sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    async with kernels(tmp_path, specs) as made:
        assert "SIGKILL" in await raised(made.start(Spec("killed", tmp_path)), KernelDied)


def left_behind(made: local.LocalKernels) -> list[str]:
    """The files in the folder of the kernels' sockets, as long as it is there."""
    folder = made._sockets.path
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


@in_loop
async def test_nothing_is_left_of_kernels_when_their_source_closes(tmp_path: Path) -> None:
    before = children()
    async with kernels(tmp_path) as made:
        spec = Spec(PYTHON, tmp_path)
        idle, busy, killed = await asyncio.gather(*(made.start(spec) for _ in range(3)))
        busy.execute(step("while True: pass"))
        os.kill(await returned(killed, "import os; os.getpid()"), signal.SIGKILL)
        await killed.died
        await idle.shutdown()
        assert len(left_behind(made)) > 0
        assert len(children() - before) == 1
    assert children() == before
    assert left_behind(made) == []


@in_loop
async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    before = children()
    async with kernels(tmp_path) as made:
        for delay in (0, 0.001, 0.05, 0.2, 0.4):
            starting = asyncio.create_task(made.start(Spec(PYTHON, tmp_path)))
            await asyncio.wait([starting], timeout=delay)
            starting.cancel()
            await asyncio.wait([starting])
            if not starting.cancelled():
                await starting.result().shutdown()
        assert children() == before
        assert left_behind(made) == []


@in_loop
async def test_kernels_leave_no_file_open(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async with kernels(tmp_path) as made:
        counts = []
        for _ in range(10):
            await (await made.start(Spec(PYTHON, tmp_path))).shutdown()
            counts.append(open_files())
        assert left_behind(made) == []
    assert len(set(counts[1:])) == 1
