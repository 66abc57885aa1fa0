"""What is found wrong with a notebook without running it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flownb.core.check import Finding, findings
from tests.support.notebooks import cell, notebook

USE = cell("pd.flow.suspend()", "use")


def check(*cells: str | dict[str, Any], **metadata: Any) -> list[Finding]:
    return findings(json.dumps(notebook(*cells, **metadata)), {"python3"})


@pytest.mark.parametrize(
    "source",
    [
        "import pandas as pd",
        "import pd",
        "import pd.deep",
        "from pandas import core as pd",
        "from other import pd",
        "pd = 1",
        "a, (pd, *b) = 1, (2, 3)",
        "pd: int = 1",
        "pd += 1",
        "for pd in []: pass",
        "with open('a') as pd: pass",
        "def pd(): pass",
        "class pd: pass",
        "(pd := 1)",
        "try: pass\nexcept Exception as pd: pass",
        "match 1:\n    case pd: pass",
        "match {}:\n    case {**pd}: pass",
        "if True:\n    import pandas as pd",
        "del pd",
        "def f():\n    global pd\n    pd = 1\nf()",
        "%matplotlib inline\nimport pandas as pd",
    ],
)
def test_pd_of_somebody_else_is_found_in_later_cells_and_later_in_the_cell(source: str) -> None:
    (finding,) = check(cell(source, "bind"), USE)
    assert (finding.cell, finding.step, finding.level) == (2, "use", "error")
    assert "cell 1 binds pd" in finding.message
    assert "`from flownb import flow`" in finding.message
    assert check(USE, cell(source, "bind")) == []
    assert [each.cell for each in check(f"{source}\nlater = pd.steps")] in ([1], [])


@pytest.mark.parametrize(
    "source",
    [
        "from flownb import pd",
        "import flownb\npd = flownb.pd",
        "import pandas",
        "import pandas as pandas_pd",
        "[pd for pd in ()]",
        "def f(pd): pd = 1",
        "def f():\n    import pandas as pd",
        "f = lambda pd: pd",
        "class A:\n    pd = 1",
        "x.pd = 1",
        "pd['a'] = pd.other",
    ],
)
def test_what_leaves_pd_alone(source: str) -> None:
    assert check(cell(source, "a"), USE) == []


@pytest.mark.parametrize(
    "source",
    [
        "def handler(pd):\n    pd.flow.suspend()",
        "async def handler(x, pd=None):\n    def inner(): pd.flow.suspend()\n    inner()",
        "handler = lambda *pd: pd.flow",
        "def handler(x):\n    from flownb import pd\n    pd.flow.suspend()",
        "[pd.flow for pd in ()]",
        "pd.read_csv('a')",
        "from flownb import flow, pd\npd.flow.suspend()",
    ],
)
def test_a_pd_of_their_own_is_right_after_pandas(source: str) -> None:
    assert check("import pandas as pd", source) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def handler(x):\n    pd.flow.suspend()", 2),
        ("x = [pd.steps for a in ()]", 1),
        ("class A:\n    a = pd.export", 2),
        ("f = lambda: pd.context", 1),
        ("\n\nawait pd.flow.suspend()", 3),
        ("def f(a=pd.flow): pass", 1),
        ("def f():\n    def g():\n        return pd.flow", 3),
        ("pd.flow.suspend()\nimport pandas as pd", 1),
    ],
)
def test_a_use_is_found_wherever_it_is(source: str, line: int) -> None:
    (finding,) = check("import pandas as pd", source)
    assert finding.cell == 2
    assert finding.message.startswith(f"line {line}: ")


def test_what_a_function_uses_is_bound_when_it_is_called() -> None:
    (finding,) = check("def handler(x):\n    pd.flow.suspend()\nimport pandas as pd")
    assert finding.cell == 1


def test_the_remedy_fits_what_is_used() -> None:
    (finding,) = check("import pandas as pd", "pd.export('a', 1)")
    assert "`import flownb` and `flownb.pd.export`" in finding.message


def test_a_setup_cell_binds_for_all_wherever_it_stands() -> None:
    (finding,) = check(USE, cell("import pandas as pd", None, "setup"))
    assert (finding.cell, finding.step) == (1, "use")


def test_a_setup_cell_may_define_what_calls_flow_but_not_call_it() -> None:
    assert check(cell("def ask(): pd.flow.suspend()", None, "setup"), "ask()") == []
    (finding,) = check(cell("x = pd.steps\npd.flow.suspend()", None, "setup"), "1")
    assert (finding.cell, finding.step, finding.message) == (
        1,
        None,
        "line 2: a cell tagged `setup` may not call pd.flow",
    )


@pytest.mark.parametrize(
    "source",
    ["%time x = 1", "!ls", "%%bash\nls | wc", "await f()", "#| timeout: 5s\nx?", "x = !ls", "async for a in b: 1"],
)
def test_what_ipython_runs_is_no_syntax_error(source: str) -> None:
    assert check(source) == []


@pytest.mark.parametrize("source", ["x = = 1", "return 1", "if x:", "  a\n b", "'", "x\0"])
def test_a_syntax_error_is_found(source: str) -> None:
    (finding,) = check("1", source)
    assert (finding.cell, finding.step, finding.level) == (2, "step_2", "error")
    assert "Error: " in finding.message


def test_a_nesting_that_python_cannot_take_is_found() -> None:
    (finding,) = check(f"{'(' * 5000}1{')' * 5000}")
    assert finding.level == "error"


def test_settings_and_kernelspec() -> None:
    setting, kernelspec = check("1", flownb={"timout": "5s"}, kernelspec={"name": "other", "display_name": "x"})
    assert setting.level == "warning"
    assert "'timout'" in setting.message
    assert kernelspec == Finding(None, None, "error", "there is no kernelspec 'other' here, there is python3")
    content = json.dumps(notebook("1", kernelspec={"name": "other", "display_name": "x"}))
    assert findings(content) == []


def test_a_notebook_that_is_refused_has_that_one_finding() -> None:
    (finding,) = findings("{")
    assert (finding.cell, finding.level) == (None, "error")
    (finding,) = check(cell("1", "a"), cell("2", "a"))
    assert "the step name 'a' is taken" in finding.message
