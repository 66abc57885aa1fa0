"""What the documentation says is run and looked up, so that it cannot fall behind the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flownb.core.settings_schema import SCHEMA
from tests.server.test_settings import FOR_TESTS, settings
from tests.support.notebooks import cell
from tests.support.server import Server

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"
RUN = [README, DOCS / "tutorial.md", DOCS / "notebooks.md", DOCS / "variables.md"]
FENCE = "```"
COMMENT = re.compile(r"<!-- (name|tag): (\S+) -->")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass
class Section:
    """The blocks of Python under one heading: the code cells of one notebook."""

    title: str
    cells: list[dict[str, Any]] = field(default_factory=list)


def sections(page: Path) -> Iterator[Section]:
    """The sections of a page that hold ``python`` blocks; a comment before a block names or tags its cell."""
    section = Section(page.stem)
    said: dict[str, str] = {}
    lines = iter(page.read_text().splitlines())
    for line in lines:
        if line.startswith(FENCE):
            source = "\n".join(iter(lambda: next(lines), FENCE))
            if line == f"{FENCE}python":
                section.cells.append(cell(source, said.get("name"), *([said["tag"]] if "tag" in said else [])))
            said = {}
        elif found := COMMENT.fullmatch(line):
            said[found[1]] = found[2]
        elif line.startswith("## "):
            yield section
            section = Section(line.removeprefix("## "))
    yield section


WORKFLOWS = [
    pytest.param(section.cells, id=f"{page.stem}: {section.title}")
    for page in RUN
    for section in sections(page)
    if section.cells
]


@pytest.fixture(scope="module")
def job_service() -> Iterator[None]:
    """The job service that the tutorial's cells find, for as long as they need it; one that runs already serves too."""
    process = subprocess.Popen([sys.executable, "-m", "flownb.demo"], stderr=subprocess.DEVNULL)
    yield
    process.terminate()
    process.wait(30)


@pytest.mark.usefixtures("job_service")
@pytest.mark.parametrize("cells", WORKFLOWS)
def test_the_code_of_a_section_is_a_workflow_that_succeeds(shared_server: Server, cells: list[dict[str, Any]]) -> None:
    execution = shared_server.run(*cells)

    def over() -> dict[str, Any] | None:
        found = shared_server.get(execution)
        if found["waiting"] and found["waiting"]["kind"] == "suspend":
            shared_server.post(execution, "resume", data={"approved": True})
        return found if found["finished_at"] else None

    done = shared_server.until(over)
    assert done["status"] == "succeeded", done["error"]


def test_there_are_workflows_in_each_page() -> None:
    assert {page.stem for page in RUN if any(section.cells for section in sections(page))} == {
        "README",
        "tutorial",
        "notebooks",
        "variables",
    }


def test_the_settings_are_those_of_the_code() -> None:
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", (DOCS / "settings.md").read_text(), re.MULTILINE))
    assert said == {
        name: repr(trait.default()).replace("'", '"') for name, trait in settings().items() if name not in FOR_TESTS
    }


def described(properties: dict[str, Any], under: str = "") -> Iterator[str]:
    """A row of a table for each key of a schema, those of objects behind them."""
    for key, schema in properties.items():
        inner = schema["else"]["then"] if "else" in schema else schema
        yield f"| `{under}{key}` | {schema['description']} |"
        yield from described(inner.get("properties", {}), f"{under}{key}.")


def test_the_settings_of_a_workflow_are_those_of_the_schema() -> None:
    page = (DOCS / "workflow-settings.md").read_text().splitlines()
    assert [line for line in page if line.startswith("| `")] == list(described(SCHEMA["properties"]))


def requests() -> Iterator[tuple[str, str]]:
    """Method and path of each ``curl`` to the API, with a made-up id."""
    for command in re.findall(r"^curl [^\\\n]*(?:\\\n[^\\\n]*)*", (DOCS / "api.md").read_text(), re.MULTILINE):
        words = shlex.split(command.replace("\\\n", " "))
        url = next((word for word in words if word.startswith("$API/")), None)
        if url is not None:
            method = words[words.index("-X") + 1] if "-X" in words else "POST" if "-d" in words else "GET"
            yield method, url.removeprefix("$API").replace("$ID", "made-up")


@pytest.mark.parametrize(("method", "path"), sorted(set(requests())))
def test_each_request_in_the_api_page_has_a_route(shared_server: Server, method: str, path: str) -> None:
    """The body fits no call, so that none has an effect."""
    content = b"[]" if method == "POST" else None
    with shared_server.http.stream(method, path, content=content) as answer:
        assert answer.status_code not in (405, 501)
        if answer.status_code == 404:
            answer.read()
            assert "the API has nothing at" not in answer.json()["message"]


@pytest.mark.parametrize("page", [README, *sorted(DOCS.glob("*.md"))], ids=lambda page: page.stem)
def test_links_between_files_lead_somewhere(page: Path) -> None:
    text = re.sub(rf"{FENCE}.*?{FENCE}", "", page.read_text(), flags=re.DOTALL)
    targets = {target.partition("#")[0] for target in LINK.findall(text) if "://" not in target}
    assert [target for target in sorted(targets) if not (page.parent / target).exists()] == []


def test_the_command_line_page_has_every_command_and_option() -> None:
    app = pytest.importorskip("flownb.cli.app").app
    typer = pytest.importorskip("typer.main")
    page = (DOCS / "cli.md").read_text()
    for name, command in typer.get_command(app).commands.items():
        assert f"`flownb {name}" in page
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert [option for option in sorted(options) if option not in page] == []
