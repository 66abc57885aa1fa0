"""``open`` and ``replay``, and what ``show`` tells of the variables."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from flownb.cli.plan import MOST, disk_line, plan
from tests.cli.conftest import FlowNB
from tests.client_support import Server
from tests.support.notebooks import cell, write

CELLS = (
    cell("rows = [1]\nlost = (each for each in rows)\nlarge = b'x' * 50_000", "load"),
    cell("pd.flow.suspend()", "ask"),
    cell("rows", "told"),
)


def waiting(server: Server) -> str:
    write(server.root, "repair me.ipynb", *CELLS)
    return str(server.waiting("repair me.ipynb")["id"])


def test_open_prints_where_the_live_notebook_is(server: Server, flownb: FlowNB) -> None:
    execution = waiting(server)
    opened = flownb("open", execution)
    name = f"flownb-runs/repair-me-{execution}-open.ipynb"
    assert (opened.status, opened.out) == (0, f"{server.client.url}lab/tree/{name}\n")
    assert (server.root / name).exists()
    second = flownb("open", execution, "--step", "load", "--json").json
    assert second["url"] == f"{server.client.url}lab/tree/{second['path']}"
    assert second["path"] != name
    assert set(second) == {"kernel_id", "path", "url"}
    refused = flownb("open", execution, "--step", "told")
    assert (refused.status, refused.out) == (2, "")
    assert "step 'told' is pending" in refused.err
    continued = server.client.continue_(execution)  # what was opened last, at an earlier step: in a new execution
    assert continued["execution"] != execution
    assert continued["status"] == "queued"
    server.client.decide_many("cancel", [execution, continued["execution"]])


def test_replay_prints_the_id_of_the_new_execution(server: Server, flownb: FlowNB) -> None:
    execution = waiting(server)
    new = flownb("replay", execution, "--from", "told")
    assert new.status == 0
    *_, ended = server.client.follow(new.out.strip())
    assert (ended["replay_of"], ended["steps"][2]["exports"]) == (execution, {"$return_value": [1]})
    whole = flownb("replay", execution, "--json").json
    assert (whole["replay_of"], whole["steps"][0]["runs"]) == (execution, 0)
    write(server.root, "repair me.ipynb", cell("rows = 2", "load"), CELLS[1], cell("['new', rows]", "told"))
    refused = flownb("replay", execution, "--from", "told", "--latest")
    assert (refused.status, refused.out) == (2, "")
    assert "load (changed)" in refused.err
    forced = flownb("replay", execution, "--from", "told", "--latest", "--force")
    *_, ended = server.client.follow(forced.out.strip())
    assert ended["steps"][2]["exports"] == {"$return_value": ["new", [1]]}
    server.client.decide_many("cancel", [execution, whole["id"]])


def test_show_tells_of_the_disk_and_of_what_comes_back(server: Server, flownb: FlowNB) -> None:
    execution = waiting(server)
    shown = flownb("show", execution).out
    assert " kB on disk" in shown
    table = {line.split()[0]: line for line in shown[shown.index("Variable") :].splitlines()[1:]}
    assert list(table) == ["lost", "large", "rows"]
    assert "does not come back: " in table["lost"]
    assert table["large"].split() == ["large", "bytes", "50.0", "kB", "comes", "back"]
    server.client.cancel(execution)
    over = flownb("show", execution).out
    assert " kB on disk" in over
    assert "Variable" not in over


def variable(name: str, size: int, status: str = "kept", reason: str = "") -> dict[str, Any]:
    return {"name": name, "type": "list", "size": size, "status": status, "reason": reason, "step": "a"}


def told(variables: list[dict[str, Any]]) -> list[str]:
    file = io.StringIO()
    screen = Console(file=file, width=200)
    for part in plan(variables):
        screen.print(part)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_what_needs_care_comes_first_then_what_is_large() -> None:
    variables = [variable("small", 1), variable("large", 9_000), variable("[b]half", 2, "partly", "of a socket")]
    lines = told([*variables, variable("client", 3, "remade")])
    assert [line.split()[0] for line in lines] == ["Variable", "[b]half", "large", "client", "small"]
    assert "comes back in part: of a socket; make it in a cell tagged `setup`" in lines[1]
    assert "made again by a setup cell" in lines[3]


def test_of_many_variables_the_rest_is_counted() -> None:
    assert told([]) == []
    assert len(told([variable(f"v{place}", place) for place in range(MOST)])) == MOST + 1
    lines = told([variable(f"v{place}", place) for place in range(MOST + 7)])
    assert (len(lines), lines[-1]) == (MOST + 2, "and 7 more")


def test_disk_use_in_words() -> None:
    assert disk_line({"bytes": 0, "shared": 0}).plain == "  nothing on disk"
    assert disk_line({"bytes": 2_500_000, "shared": 0}).plain == "  2.5 MB on disk"
    assert disk_line({"bytes": 2_500_000, "shared": 1_000}).plain.endswith("1.0 kB of it shared with other executions")
