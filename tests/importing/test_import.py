"""Folders as the hosted product writes them become notebooks that run, and a list of what is left to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from flownb.core.check import findings
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.importing import Imported, imported, read
from tests.support.server import Server, returned

APPROVAL = {
    "workflow.yaml": """
        schema: workflow/2022.04
        name: Refund Approval
        settings:
          error_notification: true
          lambda_memory: 512
          lambda_timeout: 60
          auto_retry_errors: true
          network: net_abc123
        triggers:
        - id: hi_AbCdEf1
        steps:
        - namespace: load_orders
          runtime: python3.12
          uses: "./load_orders/entry.py"
          props:
            limit: 200
            region: eu
        - namespace: ask
          runtime: python3.12
          uses: "./ask/entry.py"
        - namespace: pay
          runtime: python3.12
          uses: "./pay/entry.py"
          props:
            currency: EUR
        """,
    "load_orders/entry.py": """
        def handler(pd: "pipedream"):
            body = pd.steps["trigger"]["event"]["body"]
            pd.export("limit", pd.inputs["limit"])
            return {"total": body["total"], "region": pd.inputs["region"]}
        """,
    "ask/entry.py": """
        def handler(pd: "pipedream"):
            urls = pd.flow.suspend(1000 * 60 * 60)
            return {"asked": "resume_url" in urls}
        """,
    "pay/entry.py": """
        def handler(pd: "pipedream"):
            orders = pd.steps["load_orders"]["$return_value"]
            answer = pd.steps["ask"]["$resume_data"]["body"]
            return [orders["total"], pd.steps["load_orders"]["limit"], answer["ok"], pd.inputs["currency"]]
        """,
}

MIXED = {
    "workflow.yaml": """
        schema: workflow/2022.04
        name: Morning digest
        inactive: true
        triggers:
        - id: ti_AbCdEf2
          cron: "0 9 * * 1-5"
          timezone: Europe/Berlin
        - id: ti_AbCdEf3
          props:
            timer:
              intervalSeconds: 900
        - id: dc_AbCdEf4
        steps:
        - namespace: rows
          runtime: nodejs20.x
          uses: sheets-get-values@0.1.9
          props:
            google_sheets:
              authProvisionId: apn_AbCdEf5
            range: A1:C9
        - namespace: filter
          runtime: nodejs20.x
          uses: "./filter/entry.js"
        - namespace: seen
          runtime: python3.12
          uses: "./seen/entry.py"
          props:
            seen_rows: ds_AbCdEf6
            slack:
              authProvisionId: apn_AbCdEf7
            api_key:
              _enc: 0a0b0c==
            found: "{{steps.filter.$return_value[0].name}}"
            count: "{{steps.filter.$return_value.length + 1}}"
        - namespace: broken
          runtime: python3.12
          uses: "./broken/entry.py"
        - namespace: choose
          type: conditional
          branches:
          - condition: "{{steps.seen.ok}}"
            steps:
            - namespace: inner
        - namespace: off
          disabled: true
          runtime: python3.12
          uses: "./off/entry.py"
          props:
            api_key: plain
        """,
    "filter/entry.js": 'export default defineComponent({ async run({ steps, $ }) { return "```" } })\n',
    "seen/entry.py": """
        import requests
        def handler(pd: "pipedream"):
            token = pd.inputs["slack"]["$auth"]["oauth_access_token"]
            pd.send.http(method="POST", url="https://example.com")
            return open("/tmp/x").read()
        """,
    "broken/entry.py": "def handler(pd):\n    if True:\n        pass\n    else if False:\n        pass\n",
    "off/entry.py": "def handler(pd):\n    return pd.respond({'status': 200, 'body': 'x'})\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"))
    return folder


def made(folder: Path, files: dict[str, str]) -> Imported:
    return imported(read(write(folder, files)))


def of(one: Imported, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in one.notebook["cells"] if cell["metadata"].get("name") == name)
    return found


def notes(one: Imported, place: str) -> list[str]:
    return [f"{note.found} -> {note.remedy}" for note in one.notes if note.place == place]


@pytest.mark.parametrize("files", [APPROVAL, MIXED], ids=["python", "mixed"])
def test_what_is_imported_passes_the_check(tmp_path: Path, files: dict[str, str]) -> None:
    one = made(tmp_path, files)
    assert [found for found in findings(json.dumps(one.notebook)) if found.level == "error"] == []


def test_a_workflow_in_python_runs_unchanged(tmp_path: Path, shared_server: Server) -> None:
    one = made(tmp_path, APPROVAL)
    assert of(one, "pay")["source"] == (tmp_path / "pay" / "entry.py").read_text()
    (shared_server.root / "imported.ipynb").write_text(json.dumps(one.notebook))
    execution = shared_server.submit("imported.ipynb", {"total": 42})
    shared_server.wait(execution, "suspended")
    shared_server.post(execution, "resume", data={"ok": True})
    assert returned(shared_server.wait(execution, "succeeded"), "pay") == [42, 200, True, "EUR"]


def test_settings_are_those_of_the_hosted_workflow(tmp_path: Path) -> None:
    one = made(tmp_path, APPROVAL)
    assert one.notebook["metadata"]["flownb"] == {
        "name": "refund-approval",
        "timeout": "60s",
        "retry": {"max": 8, "first": "1m", "limit": "5h"},
        "inputs": {"limit": 200, "region": "eu", "currency": "EUR"},
    }
    assert [note.place for note in one.notes] == [
        "trigger hi_AbCdEf1",
        "setting error_notification",
        "setting lambda_memory",
        "setting network",
    ]


def test_what_has_no_counterpart_raises_and_is_shown(tmp_path: Path) -> None:
    one = made(tmp_path, MIXED)
    assert of(one, "rows")["source"] == (
        'raise NotImplementedError("rows: the prebuilt component sheets-get-values@0.1.9, '
        'which is to be written in Python")\n'
    )
    for name, why in {
        "filter": "code for nodejs20.x",
        "broken": "code that is not valid Python (expected ':'",
        "choose": "control flow of the hosted product (branches)",
    }.items():
        assert of(one, name)["source"].startswith(f'raise NotImplementedError("{name}: ')
        assert notes(one, f"step {name}")[0].startswith(why)
    shown = "\n".join(cell["source"] for cell in one.notebook["cells"] if cell["cell_type"] == "markdown")
    assert "range: A1:C9" in shown
    assert "defineComponent" in shown
    assert "namespace: inner" in shown
    assert of(one, "off")["metadata"]["tags"] == ["skip"]


def test_triggers_and_inputs_are_carried_or_told(tmp_path: Path) -> None:
    one = made(tmp_path, MIXED)
    found = one.notebook["metadata"]["flownb"]
    assert found["schedule"] == [{"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}, {"every": "900s"}]
    assert found["http"] == {"respond": True}
    assert found["inputs"] == {
        "seen_rows": {"data_store": "seen_rows"},
        "slack": {"secret": "SLACK_TOKEN"},
        "api_key": {"secret": "API_KEY"},
    }
    said = "\n".join(notes(one, "step seen"))
    for told in (
        "it imports requests",
        "line 4: it calls pd.send.http",
        "line 3: it reads `$auth`",
        "line 5: it uses /tmp/x",
        "the store 'seen_rows' is empty at first",
        "set the secret SLACK_TOKEN",
        "set the secret API_KEY",
        """write `pd.steps["filter"]["$return_value"][0]["name"]`""",
        "steps.filter.$return_value.length + 1 -> in place of `pd.inputs['count']`, write it in Python",
    ):
        assert told in said
    assert any("another value than in an earlier step" in note for note in notes(one, "step off"))
    assert notes(one, "trigger dc_AbCdEf4")
    assert notes(one, "workflow") == ["it was inactive -> deploy it when it is to work"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: [", "is not YAML"),
        ("- a", "is to be a mapping"),
        ("name: x", "has no steps"),
        ("steps: 7", "`steps` is to be a list"),
        ("steps: [{uses: x@1}]", "step 1 has no `namespace`"),
        ("steps: [{namespace: a, uses: ./../../etc/passwd}]", "which is outside of"),
        ("steps: [{namespace: a, uses: ./a/entry.py}]", "cannot be read"),
        ("steps: [{namespace: a, uses: x@1}, {namespace: a, uses: x@1}]", "'a'"),
    ],
)
def test_a_folder_that_cannot_be_read_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FlowNBError, match=said.replace("(", r"\(")):
        made(tmp_path, {"workflow.yaml": text})


def test_a_folder_without_a_workflow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot be read"):
        read(tmp_path)


def flownb(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from flownb.cli import main; main()", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_imports_all_workflows_of_a_project_and_writes_over_nothing(tmp_path: Path) -> None:
    write(tmp_path / "project" / "refund-approval-p_abc", APPROVAL)
    write(tmp_path / "project" / "deeper" / "digest-p_def", MIXED)
    ended = flownb(tmp_path, "import", "project", "--into", "here")
    assert ended.returncode == 0, ended.stderr
    assert {file.name for file in (tmp_path / "here").iterdir()} == {"refund-approval.ipynb", "morning-digest.ipynb"}
    assert "here/refund-approval.ipynb  3 steps, 4 things to look at" in ended.stdout
    again = flownb(tmp_path, "import", "project", "--into", "here", "--json")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    told = json.loads(flownb(tmp_path, "import", "project", "--into", "there", "--json").stdout)["workflows"]
    assert {one["notebook"] for one in told} == {"there/refund-approval.ipynb", "there/morning-digest.ipynb"}
    assert told[0]["notes"][0].keys() == {"place", "found", "remedy"}
