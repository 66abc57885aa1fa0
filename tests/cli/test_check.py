"""``flownb check``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import run_in
from tests.support.notebooks import cell, write

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "good.ipynb", cell("pd.flow.suspend()", "ask"))
    write(tmp_path, "odd.ipynb", cell("1", "a"), flownb={"timeuot": "5m"})
    write(tmp_path, "bad.ipynb", cell("import pandas as pd", "load"), cell("pd.flow.delay(1)", "wait"))
    write(tmp_path, "elsewhere.ipynb", cell("1", "a"), kernelspec={"name": "no-such-kernel", "display_name": "x"})
    (tmp_path / "broken.ipynb").write_text("{")
    return tmp_path


def test_findings_are_told_by_cell_and_errors_are_status_1(folder: Path) -> None:
    done = run_in(folder, "check", "good.ipynb", "bad.ipynb", "elsewhere.ipynb", "broken.ipynb")
    assert done.status == 1
    assert "good.ipynb  no findings" in done.out
    assert "cell 2 (wait): line 1: pd.flow is not flownb's" in done.out
    assert "no kernelspec 'no-such-kernel'" in done.out
    assert "not a notebook" in done.out


def test_a_warning_is_status_0(folder: Path) -> None:
    done = run_in(folder, "check", "odd.ipynb", "--json", *map(str, NOTEBOOKS.glob("*.ipynb")))
    assert done.status == 0
    found = {answer["notebook"]: answer["findings"] for answer in done.json["notebooks"]}
    assert [finding["level"] for finding in found.pop("odd.ipynb")] == ["warning"]
    assert len(found) == len([*NOTEBOOKS.glob("*.ipynb")])
    assert not any(found.values())


@pytest.mark.parametrize("name", ["missing.ipynb", "bytes.ipynb"])
def test_a_file_that_cannot_be_read_is_bad_input(folder: Path, name: str) -> None:
    (folder / "bytes.ipynb").write_bytes(b"\xff\xfe")
    done = run_in(folder, "check", name)
    assert (done.status, done.out) == (2, "")
    assert name in done.err


def test_a_command_starts_without_what_checks_forms() -> None:
    """Its grammar of addresses alone takes a second to be made."""
    heavy = "{'jsonschema', 'lark', 'arrow'} & {*sys.modules}"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, flownb.cli; print({heavy})"], capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr
