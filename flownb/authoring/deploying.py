"""``%flownb deploy`` and ``%flownb settings``: the notebook in front of the author, put to work."""

from __future__ import annotations

import json
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from flownb.authoring.checking import saved
from flownb.authoring.files import Plain
from flownb.client import find
from flownb.core.editing import demand_known, parsed, settings_in, with_settings
from flownb.core.errors import InvalidValue
from flownb.core.settings_schema import SCHEMA
from flownb.core.words import recurrence

UNSAVED = "! this cell is not in the file: what was typed since it was saved is not deployed; save the notebook first"

HOW_TO_SET = """\
The notebook is open, so its file is not written behind the editor's back. Either set this as `flownb` in the notebook's
metadata (in JupyterLab: Property Inspector, Advanced Tools, Notebook Metadata) and save:
{snippet}
or save and close the notebook, and run in a terminal:
flownb settings {path} {key} {value}"""


def deploy(path: Path, name: str | None, shell: Any) -> str:
    """Deploy the saved notebook in this kernel's server; raises ``NoServer`` or ``ApiError``.

    Its hook URL is not told: it is a secret, and outputs are saved with the notebook.
    """
    with closing(find()) as client:
        found = client.deploy(path, name)
        page = f"{client.url}flownb/deployed/{found['name']}"
    lines = [UNSAVED] if _is_unsaved(path, shell) else []
    lines += [saved(path), f"{found['name']}, version {found['number']}: {page}"]
    lines += [f"starts by itself: {recurrence(one)}" for one in found["schedule"]]
    lines += [f"! {warning}" for warning in found["warnings"]]
    if found["before"] is not None:
        lines.append(found["diff"]["text"] or "nothing has changed")
    return "\n".join(lines)


def _is_unsaved(path: Path, shell: Any) -> bool:
    """Whether the cell that runs is not in the file as it is. That is all a kernel knows of what was not saved."""
    running = shell.history_manager.input_hist_raw[-1].strip()
    sources = ("".join(cell.get("source", "")) for cell in parsed(path.read_text("utf-8")).get("cells", ()))
    return running not in map(str.strip, sources)


def settings(path: Path, rest: str) -> str:
    """The settings in the saved notebook, one of them, or how to set it; raises ``Plain`` or ``InvalidValue``."""
    content = parsed(path.read_text("utf-8"))
    said = settings_in(content)
    key, _, value = rest.partition(" ")
    if not key:
        lines = [f"{key}: {json.dumps(found, ensure_ascii=False)}" for key, found in said.items()]
        return "\n".join([saved(path), *(lines or ["no settings"])])
    demand_known(key)
    if not value.strip():
        about = SCHEMA["properties"][key].get("description", "")
        return f"{json.dumps(said[key], ensure_ascii=False) if key in said else 'not set'}  # {about}"
    changed = settings_in(with_settings(content, {key: _value(value)}))
    written = json.dumps(changed[key], ensure_ascii=False)
    snippet = json.dumps({"flownb": changed}, indent=2, ensure_ascii=False)
    return HOW_TO_SET.format(snippet=snippet, path=shlex.quote(str(path)), key=key, value=shlex.quote(written))


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except Exception as error:  # PyYAML lets through whatever its constructors raise
        raise InvalidValue(f"the value is neither YAML nor JSON: {' '.join(str(error).split())}") from None


def chosen_name(rest: str) -> str | None:
    """What stands behind ``--name``; raises ``Plain`` for anything else."""
    words = rest.replace("=", " ").split()
    if not words:
        return None
    if len(words) != 2 or words[0] != "--name":
        raise Plain(f"%flownb deploy {rest}: there is --name NAME, and nothing else")
    return words[1]
