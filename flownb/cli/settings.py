"""``flownb settings``: the settings of a workflow, in the file of its notebook."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.options import AsJson
from flownb.core.editing import ABSENT, demand_known, parsed, settings_in, with_settings, written
from flownb.core.errors import InvalidValue, NotebookError
from flownb.core.settings_schema import SCHEMA


def settings(
    notebook: Annotated[Path | None, typer.Argument(metavar="NOTEBOOK", help="The .ipynb file.")] = None,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="One of them.")] = None,
    value: Annotated[str | None, typer.Argument(metavar="VALUE", help="What to set it to, as YAML or JSON.")] = None,
    unset: Annotated[str | None, typer.Option(metavar="KEY", help="Remove this one.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print their JSON Schema.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show, set or remove settings of a workflow, in the file of its notebook; they count once it is deployed again."""
    if schema:
        print_json(SCHEMA)
        return
    if notebook is None or (unset is not None and key is not None):
        raise InvalidValue("name a NOTEBOOK, and either a KEY or --unset KEY; --schema goes without")
    if unset is not None:
        _change(notebook, {demand_known(unset): ABSENT})
    elif key is not None and value is not None:
        _change(notebook, {demand_known(key): _value(value)})
    else:
        _show(settings_in(_read(notebook)[0]), demand_known(key) if key else None, as_json)


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except Exception as error:  # PyYAML lets through whatever its constructors raise
        raise InvalidValue(f"the value is neither YAML nor JSON: {' '.join(str(error).split())}") from None


def _read(notebook: Path) -> tuple[dict[str, Any], str]:
    try:
        text = notebook.read_bytes().decode()
        return parsed(text), text
    except OSError as error:
        raise InvalidValue(f"{notebook} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidValue(f"{notebook} is not a notebook: not UTF-8 text") from None
    except NotebookError as error:
        raise NotebookError(f"{notebook}: {error}") from None


def _change(notebook: Path, changes: dict[str, Any]) -> None:
    content, text = _read(notebook)
    changed = with_settings(content, changes)
    if changed != content:
        _write(notebook.resolve(), written(changed, text))
        said = ", ".join(changes)
        errors().print(
            f"{said} changed in {notebook}: `flownb deploy {notebook}` puts it to work", markup=False, soft_wrap=True
        )


def _write(file: Path, text: str) -> None:
    """All or nothing; a notebook keeps its mode."""
    try:
        with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            new.write(text.encode())
        shutil.copymode(file, new.name)
        Path(new.name).replace(file)
    except OSError as error:
        raise InvalidValue(f"{file} cannot be written: {error.strerror}") from None


def _show(said: dict[str, Any], key: str | None, as_json: bool) -> None:
    if key is not None:
        if key in said:
            output().print(json.dumps(said[key], ensure_ascii=False), markup=False, soft_wrap=True)
        else:
            errors().print(
                f"{key} is not set. {SCHEMA['properties'][key]['description']}", markup=False, soft_wrap=True
            )
    elif as_json:
        print_json(said)
    else:
        output().print(_table(said))


def _table(said: dict[str, Any]) -> Table:
    """All that there are: those that are set first."""
    table = Table("Setting", "Value", "What it is", box=None, pad_edge=False, header_style="dim")
    for key in sorted({**SCHEMA["properties"], **said}, key=lambda key: key not in said):
        about = SCHEMA["properties"].get(key, {}).get("description", "Unknown: it means nothing.")
        value = json.dumps(said[key], ensure_ascii=False) if key in said else ""
        table.add_row(Text(key, "bold" if key in said else ""), Text(value, "cyan"), Text(about, "dim"))
    return table
