"""Each kind of object in the table, in the kernel after the one that made it, and in one more after that."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import kinds
from .conftest import Kernel
from .kinds import ANEW, KEPT, PAGE, Kind

KINDS = kinds.all_kinds()
USES = ("{}.x", "{}()", "len({})", "{}[0]", "list({})", "{} + 1", "bool({})", "with {}: pass")
CHECK = """
def check():
    for truth in {kind.truths!r}:
        assert eval(truth, globals()), truth
    for name in {kind.lost!r}:
        for use in {uses!r}:
            try:
                exec(use.format(name), globals())
            except Exception as error:
                said = str(error)
                assert type(error).__name__ == "NotRestorable", (name, use, repr(error))
                assert {kind.title!r} in said and "tagged `setup`" in said, said
            else:
                raise AssertionError((name, use, "raises nothing"))
check()
"""


@dataclass
class Saved:
    """The kernels of the second and the third generation; by kind, what the first said of the kind's variables."""

    kernels: list[Kernel]
    variables: dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    folder = tmp_path_factory.mktemp("notebooks")
    with ExitStack() as kernels:

        def start() -> Kernel:
            kernel = Kernel(folder)
            kernels.callback(kernel.close)
            kernel.prepare()
            return kernel

        first, second, third = start(), start(), start()
        for kind in KINDS:
            ran = first.step(kind.cell, step=kind.title)
            assert ran.reply["status"] == "ok", (kind.title, ran.reply["ename"], ran.reply["evalue"])
        answer = first.save(folder / "1.snapshot")
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        _load(second, folder / "1.snapshot", answer["digest"])
        _load(third, folder / "2.snapshot", second.save(folder / "2.snapshot")["digest"])
        variables: dict[str, dict[str, dict[str, Any]]] = {}
        for variable in answer["variables"]:
            variables.setdefault(variable["step"], {})[variable["name"]] = variable
        yield Saved([second, third], variables)


def _load(kernel: Kernel, path: Path, digest: str) -> None:
    loaded = kernel.load(path, digest)
    assert loaded["status"] == "ok", (loaded["ename"], loaded["evalue"])


def _ids(kind: Kind) -> str:
    return kind.title.replace("`", "")


@pytest.mark.parametrize("generation", [0, 1], ids=["second", "third"])
@pytest.mark.parametrize("kind", KINDS, ids=_ids)
def test_what_comes_back(saved: Saved, kind: Kind, generation: int) -> None:
    kernel = saved.kernels[generation]
    ran = kernel.execute(CHECK.format(kind=kind, uses=USES))
    assert ran.reply["status"] == "ok", (kind.title, ran.reply["ename"], ran.reply["evalue"])


@pytest.mark.parametrize("kind", KINDS, ids=_ids)
def test_the_record_agrees(saved: Saved, kind: Kind) -> None:
    variables = saved.variables[kind.title]
    statuses = {name: variable["status"] for name, variable in variables.items()}
    expected = dict.fromkeys(variables, "kept")
    expected |= {name: "lost" for name in kind.lost if name in variables}
    expected |= dict.fromkeys(kind.partly, "partly")
    assert statuses == expected
    assert all((variable["reason"] is None) == (variable["status"] == "kept") for variable in variables.values())
    assert bool(kind.lost) is (kind.outcome not in (KEPT, ANEW))


def test_the_table_in_the_docs() -> None:
    text = PAGE.read_text()
    assert text == kinds.page(text), "run `python -m tests.kernel.kinds`"
