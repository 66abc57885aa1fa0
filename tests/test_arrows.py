"""The arrows between the folders: which module may import which, lazily or not."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
LONGEST = 400

MAY_IMPORT = {
    "core": {"core"},
    "faults": set(),
    "store": {"store", "core", "faults"},
    "bridge": {"bridge", "core"},
    "server": {"server", "bridge", "store", "core", "faults"},
    "kernel": {"kernel", "core", "faults"},
    "authoring": {"authoring", "kernel", "widgets", "client", "core"},
    "widgets": {"widgets", "client", "core"},
    "client": {"client", "core"},
    "cli": {"cli", "client", "importing", "store", "core", "faults"},
    "importing": {"importing", "core"},
    "demo": {"demo", "core"},
    "testing": {"testing", "client", "core"},
}
IN_A_KERNEL = {*sys.stdlib_module_names, "IPython", "ipykernel", "cloudpickle"}


def module_name(file: Path) -> str:
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for file in sorted(REPOSITORY.glob("flownb/**/*.py"))}
MODULES = FILES.keys() - {"flownb"}


@cache
def imports(module: str) -> frozenset[str]:
    """All that a module imports, wherever in its code: modules of ours by full name, others as they are written."""
    return frozenset(_imports(ast.parse(FILES[module].read_text())))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            assert node.module
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else node.module for name in inner)


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in MODULES}


def folder(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("name", sorted({folder(module) for module in MODULES}))
def test_a_folder_knows_only_those_below_it(name: str) -> None:
    known = {(module, other) for module in MODULES if folder(module) == name for other in ours(module)}
    assert not {(module, other) for module, other in known if folder(other) not in MAY_IMPORT[name]}


def test_what_runs_in_a_kernel_needs_only_what_every_kernel_has() -> None:
    waiting = [module for module in MODULES if folder(module) == "kernel"]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        waiting += ours(module) - seen
        foreign = {name.split(".")[0] for name in imports(module)} - IN_A_KERNEL - {"flownb"}
        assert not foreign, f"{module} imports {foreign}"
    assert "flownb.core.jsonvalue" in seen


def test_no_module_imports_the_tests() -> None:
    assert not {module for module in FILES for name in imports(module) if name.split(".")[0] == "tests"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: ours(module) - {module} for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_file_can_be_read_in_one_sitting() -> None:
    lengths = {module: len(file.read_text().splitlines()) for module, file in FILES.items()}
    assert not {module: length for module, length in lengths.items() if length > LONGEST}
