"""Notebooks as workflows, and what is said of those that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flownb.core.durations import MINUTE
from flownb.core.errors import NotebookError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Policy, Retry
from flownb.core.notebook import Workflow, read

PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


def code(source: str, *tags: str, cell_id: str | None = None, **metadata: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
    }
    if tags:
        metadata["tags"] = list(tags)
    return cell if cell_id is None else {**cell, "id": cell_id}


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def written(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> str:
    given = [{"id": f"cell-{place}", **cell} if minor >= 5 else cell for place, cell in enumerate(cells)]
    return json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": given})


def parse(*cells: dict[str, Any], **metadata: Any) -> Workflow:
    return read(written(*cells, **metadata))


def complaint(notebook: str) -> str:
    with pytest.raises(NotebookError) as raised:
        read(notebook)
    return str(raised.value)


# Steps and their names


def test_names_come_from_the_metadata_then_the_directive_then_the_place_among_the_steps() -> None:
    workflow = parse(
        text("# Title"),
        code("1"),
        code("#| step: directive\n2", name="metadata"),
        code("", name="blank"),
        code("#| step: directive\n3"),
        code("4"),
    )
    assert [step.name for step in workflow.steps] == ["step_1", "metadata", "directive", "step_4"]
    assert [step.cell_id for step in workflow.steps] == ["cell-1", "cell-2", "cell-4", "cell-5"]


def test_skipped_and_blank_cells_are_no_steps_and_setup_cells_stand_apart() -> None:
    workflow = parse(code("1", "skip"), code(" \n\t"), code("import x", "setup"), code("2"), code("y = 1", "setup"))
    assert [(step.name, step.source) for step in workflow.steps] == [("step_1", "2")]
    assert [(cell.name, cell.source) for cell in workflow.setup] == [("setup_1", "import x"), ("setup_2", "y = 1")]


def test_a_parameters_cell_is_an_ordinary_step() -> None:
    parameters, other = parse(code("n = 1", "parameters"), code("n")).steps
    assert (parameters.takes_parameters, other.takes_parameters) == (True, False)


def test_a_name_twice_is_refused_naming_both_cells() -> None:
    found = complaint(written(text("x"), code("1", name="a"), code("#| step: a\n2")))
    assert found == "cell 3: the step name 'a' is taken by cell 2: names are unique"


def test_a_given_name_may_not_collide_with_a_counted_one() -> None:
    assert complaint(written(code("1", name="step_2"), code("2"))).startswith("cell 2: the step name 'step_2' is taken")


def test_a_skipped_cell_may_have_any_name() -> None:
    assert len(parse(code("1", name="a"), code("2", "skip", name="a"), code("", name="trigger")).steps) == 1


def test_trigger_is_reserved() -> None:
    assert complaint(written(code("#| step: trigger\n1"))) == (
        "cell 1: the step name 'trigger' is reserved for what started the execution"
    )


@pytest.mark.parametrize("name", ["$x", "' x'", "x" * 101, '"a\\nb"', "3", "[a]", '""'])
def test_a_step_name_is_a_line_of_text(name: str) -> None:
    notebook = written(code("0"), code(f"#| step: {name}\n1"))
    assert complaint(notebook).startswith("cell 2: a step name is one line of text")


def test_a_notebook_without_a_step_is_refused() -> None:
    assert complaint(written(text("x"), code("1", "setup"), code("2", "skip"))).startswith("the notebook has no step")


# Settings


def test_directives_are_set_over_the_settings_of_the_notebook() -> None:
    workflow = parse(
        code("1"), code("#| retry: false\n#| once: true\n2"), flownb={"timeout": "5m", "retry": 2, "confirm": True}
    )
    assert [step.policy for step in workflow.steps] == [
        Policy(timeout=5 * MINUTE, retry=Retry(2)),
        Policy(timeout=5 * MINUTE, once=True),
    ]
    assert (workflow.settings.confirm, parse(code("1")).settings.confirm) == (True, None)


def test_a_bad_directive_names_the_cell_and_the_step() -> None:
    assert complaint(written(code("1"), code("#| step: poll\n#| timeout: soon\n2"))).startswith(
        "cell 2 ('poll'): `timeout`: expected a time"
    )
    assert complaint(written(code("1"), code("#| a: [\n2"))).startswith("cell 2: its `#|` lines are not YAML")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "the notebook's settings (metadata.flownb) are a mapping"),
        ({"retry": "often"}, "the notebook's settings (metadata.flownb): `retry` is a count"),
        ({"confirm": "yes"}, "the notebook's settings (metadata.flownb): `confirm` is true or false"),
    ],
)
def test_a_bad_setting_is_refused(settings: object, said: str) -> None:
    assert complaint(written(code("1"), flownb=settings)).startswith(said)


def test_settings_that_are_not_known_are_named() -> None:
    assert parse(code("1"), flownb={"timeout": "1s", "tiemout": 1, "a": 2}).settings.unknown == ("a", "tiemout")


@pytest.mark.parametrize(
    "metadata",
    [{}, {"kernelspec": PYTHON}, {"kernelspec": {"name": "xpython", "display_name": "x", "language": "Python"}}],
)
def test_kernels_of_python_are_taken(metadata: dict[str, Any]) -> None:
    assert parse(code("1"), **metadata).kernelspec == metadata.get("kernelspec", PYTHON)["name"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
        {"language_info": {"name": "julia"}},
        {"kernelspec": {"name": "x", "display_name": "x", "language": 3}},
    ],
)
def test_kernels_of_another_language_are_refused(metadata: dict[str, Any]) -> None:
    assert complaint(written(code("1"), **metadata)).endswith(": steps are Python")


# Versions


def version(*cells: dict[str, Any], **metadata: Any) -> str:
    return parse(*cells, **metadata).version


BASE = version(code("1"), code("2"), kernelspec=PYTHON)


def test_a_version_does_not_depend_on_outputs_ids_or_counts() -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": "hello"}
    executed = {**code("1", cell_id="another"), "outputs": [shown], "execution_count": 7}
    assert version(executed, code("2", collapsed=True), kernelspec=PYTHON, widgets={"state": {}}) == BASE
    assert read(written(code("1"), code("2"), minor=4, kernelspec=PYTHON)).version == BASE


@pytest.mark.parametrize(
    ("cells", "metadata"),
    [
        ([code("1"), code("2 ")], {"kernelspec": PYTHON}),
        ([code("2"), code("1")], {"kernelspec": PYTHON}),
        ([code("1"), code("2", name="two")], {"kernelspec": PYTHON}),
        ([code("1"), code("2", "parameters")], {"kernelspec": PYTHON}),
        ([code("1"), code("2")], {"kernelspec": {**PYTHON, "name": "other"}}),
        ([code("1"), code("2")], {"kernelspec": PYTHON, "flownb": {"confirm": True}}),
    ],
    ids=["source", "order", "name", "tags", "kernelspec", "settings"],
)
def test_a_version_depends_on(cells: list[dict[str, Any]], metadata: dict[str, Any]) -> None:
    assert version(*cells, **metadata) != BASE


# Formats


def test_the_content_is_json_without_outputs_in_which_every_cell_has_an_id_of_its_own() -> None:
    given = [
        {
            **code("1"),
            "id": "flownb-1",
            "outputs": [{"output_type": "display_data", "data": {"x/y": float("nan")}, "metadata": {}}],
        },
        {**code("2"), "id": "flownb-1"},
        code("3"),
    ]
    notebook = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": given})
    content = read(notebook).content
    assert [cell["id"] for cell in content["cells"]] == ["flownb-1", "flownb-2", "flownb-3"]
    assert [cell["outputs"] for cell in content["cells"]] == [[], [], []]
    assert read(dumps(content)).content == content


def test_notebooks_of_nbformat_4_4_get_ids() -> None:
    workflow = read(written(text("x"), code("1"), minor=4))
    assert [step.cell_id for step in workflow.steps] == ["flownb-2"]
    assert workflow.content["nbformat_minor"] == 5


def test_notebooks_of_nbformat_3_are_converted() -> None:
    cell = {
        "cell_type": "code",
        "input": ["x = 1\n", "x"],
        "language": "python",
        "metadata": {},
        "outputs": [],
        "collapsed": False,
    }
    heading = {"cell_type": "heading", "level": 1, "source": "Title", "metadata": {}}
    notebook = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [heading, cell]}],
    }
    workflow = read(json.dumps(notebook))
    assert [(step.name, step.source) for step in workflow.steps] == [("step_1", "x = 1\nx")]


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        ("", "not a notebook: Expecting value: line 1 column 1"),
        ('{"cells": [', "not a notebook: Expecting value: line 1 column 12"),
        ("[]", "not a notebook: "),
        ("null", "not a notebook: "),
        ("{}", "not a valid notebook: "),
        ('{"nbformat": 5, "cells": []}', "not a notebook: Unsupported nbformat version 5"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "not a valid notebook: "),
        ('{"nbformat": 4, "metadata": {}, "cells": []}', "not a notebook: it lacks 'nbformat_minor'"),
        pytest.param("[" * 100_000, "not a notebook: maximum recursion depth", id="deep"),
        pytest.param('{"nbformat": ' + "4" * 5_000 + "}", "not a notebook: Exceeds the limit (4300", id="huge"),
    ],
)
def test_what_is_no_notebook_is_refused(notebook: str, said: str) -> None:
    assert complaint(notebook).startswith(said)


def test_a_cell_that_nbformat_refuses_is_named() -> None:
    assert complaint(written(code("1"), code("2", name=""))).startswith("not a valid notebook: cell 2: '' ")
    assert complaint(written(code("1", tags="skip"))).startswith("not a valid notebook: cell 1: 'skip' ")


def test_nan_in_what_is_kept_is_refused_with_its_path() -> None:
    assert complaint(written(code("1"), plot={"width": float("nan")})) == (
        "not a notebook: notebook.metadata.plot.width is nan: JSON has finite numbers only"
    )
