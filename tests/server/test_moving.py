"""An execution goes from one machine to another as one file, paused or over, with its variables, links and record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from tests.support.command import flownb
from tests.support.notebooks import cell
from tests.support.server import Server, returned

CELLS = (
    cell("import json; table = {'rows': list(range(1000))}; print('made')", "make"),
    cell("pd.flow.suspend(reason='Go on?', timeout=3_600_000)", "ask"),
    cell("len(table['rows'])", "use"),
)


@pytest.fixture(scope="module")
def here(folders: Callable[[], Path]) -> Iterator[Server]:
    made = Server(folders()).start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def there(folders: Callable[[], Path]) -> Iterator[Server]:
    made = Server(folders(), moving_clock=True).start()
    yield made
    made.close()


@pytest.fixture
def paused(here: Server) -> dict[str, Any]:
    return here.wait(here.run(*CELLS), "suspended")


def verify(server: Server, execution: str) -> Any:
    return server.http.get(f"/executions/{execution}/verify").json()


def take_in(server: Server, content: bytes) -> httpx.Response:
    return server.http.post("/executions/import", content=content)


def exported(server: Server, execution: str) -> bytes:
    answer = server.http.get(f"/executions/{execution}/export")
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_paused_execution_goes_on_elsewhere_and_its_old_links_say_where(
    here: Server, there: Server, paused: dict[str, Any], tmp_path: Path
) -> None:
    execution, file = paused["id"], str(tmp_path / "moved.flownb")
    assert "moved" in flownb(here, "export", execution, "-o", file, "--move")
    left = here.get(execution)
    assert (left["status"], left["reason"], left["moved_to"]) == ("cancelled", "moved", "unknown yet")
    assert json.loads(flownb(there, "import", file, "--json"))["id"] == execution
    came = there.get(execution)
    assert (came["status"], came["created_at"]) == ("suspended", paused["created_at"])
    assert came["waiting"]["wakes_at"] == paused["waiting"]["wakes_at"]
    assert came["waiting"]["resume_url"] != paused["waiting"]["resume_url"]
    assert any("it was moved here from" in said for said in came["warnings"])
    late = httpx.post(paused["waiting"]["resume_url"])
    assert (late.status_code, late.json()["status"], late.json()["to"]) == (410, "moved", "unknown yet")
    here.post(execution, "moved", to="https://there.example/")
    assert httpx.post(paused["waiting"]["cancel_url"]).json()["to"] == "https://there.example/"
    assert "there.example" in httpx.get(paused["waiting"]["resume_url"], headers={"Accept": "text/html"}).text
    assert httpx.post(came["waiting"]["resume_url"]).json()["status"] == "resumed"
    ended = there.wait(execution, "succeeded")
    assert returned(ended, "use") == 1000
    assert (verify(there, execution)["altered"], verify(here, execution)["altered"]) == ([], [])
    billed = [server.http.get("/usage", params={"by": "segment"}).json()["rows"] for server in (here, there)]
    segments = [[row["segment"] for row in rows if row["execution"] == execution] for rows in billed]
    assert segments == [[1], [2]]


def test_what_has_moved_away_may_come_back_and_nothing_else_may(
    here: Server, there: Server, paused: dict[str, Any], tmp_path: Path
) -> None:
    execution, file = paused["id"], str(tmp_path / "x.flownb")
    again = take_in(here, exported(here, execution))
    assert (again.status_code, again.json()["reason"]) == (409, "already_here")
    flownb(here, "export", execution, "-o", file, "--move", "--to", "https://there.example/")
    flownb(there, "import", file)
    flownb(there, "export", execution, "-o", file, "--move")
    flownb(here, "import", file)
    back = here.get(execution)
    assert (back["status"], back["moved_to"]) == ("suspended", None)
    assert httpx.post(paused["waiting"]["resume_url"]).json()["status"] == "resumed"  # by the links of the beginning
    assert returned(here.wait(execution, "succeeded"), "use") == 1000
    assert verify(here, execution)["altered"] == []


def test_an_execution_that_is_over_moves_with_its_outputs_and_can_be_replayed(here: Server, there: Server) -> None:
    ended = here.wait(here.run("x = 20; print('shown')", "x + 1"), "succeeded")
    came = take_in(there, exported(here, ended["id"])).json()
    assert (came["status"], came["credits"]) == ("succeeded", ended["credits"])
    assert "shown" in json.dumps(there.http.get(f"/executions/{ended['id']}/notebook").json())
    replay = there.post(ended["id"], "replay", **{"from": "step_2"}).json()["id"]
    assert returned(there.wait(replay, "succeeded"), "step_2") == 21


def test_what_changed_since_it_was_exported_is_not_marked_as_moved(here: Server, paused: dict[str, Any]) -> None:
    head = verify(here, paused["id"])["head"]
    here.post(paused["id"], "postpone", **{"for": "2h"})
    answer = here.post(paused["id"], "moved", head=head)
    assert (answer.status_code, answer.json()["reason"]) == (409, "not_now")
    assert here.get(paused["id"])["status"] == "suspended"
    running = here.run("import time; time.sleep(60)")
    here.wait(running, "running")
    assert here.http.get(f"/executions/{running}/export").json()["reason"] == "not_at_rest"
    here.post(running, "cancel")


def rewritten(file: Path, name: str, change: Callable[[bytes], bytes], tmp_path: Path) -> bytes:
    """The file with one of its entries changed."""
    target = tmp_path / "rewritten"
    with ZipFile(file) as source, ZipFile(target, "w") as made:
        for entry in source.namelist():
            content = source.read(entry)
            made.writestr(entry, change(content) if entry == name else content)
    return target.read_bytes()


def test_a_file_that_is_damaged_or_none_is_refused_and_leaves_nothing(
    here: Server, there: Server, paused: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "good"
    file.write_bytes(exported(here, paused["id"]))
    steps, manifest = "record/steps.jsonl", "manifest.json"
    bad = {
        "no file": b"",
        "no zip": b"x" * 1000,
        "cut off": file.read_bytes()[:-500],
        "altered": rewritten(file, steps, lambda content: content.replace(b"make", b"fake"), tmp_path),
        "later": rewritten(file, manifest, lambda content: content.replace(b'"format":1', b'"format":9'), tmp_path),
        "elsewhere": rewritten(file, manifest, lambda content: content.replace(b"steps.jsonl", b"../x"), tmp_path),
    }
    for what, content in bad.items():
        answer = take_in(there, content)
        assert answer.status_code == 422, (what, answer.text)
        assert answer.json()["reason"] == "bad_file"
    assert there.http.get(f"/executions/{paused['id']}").status_code == 404
    assert not (there.root / ".flownb" / "snapshots" / paused["id"]).exists()
    assert not list((there.root / ".flownb").glob("import-*"))
    anybody = httpx.post(f"{there.api}/executions/import", content=file.read_bytes())
    assert anybody.status_code == 403


def test_a_timer_goes_on_by_its_time(here: Server, there: Server, paused: dict[str, Any]) -> None:
    assert take_in(there, exported(here, paused["id"])).status_code == 201
    there.advance(hours=1)
    there.wait(paused["id"], "succeeded")
    assert here.get(paused["id"])["status"] == "suspended"  # it was a copy
