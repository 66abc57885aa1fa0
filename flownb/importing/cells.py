"""A step of the hosted original as cells: its code as it stands, or a cell that says what is missing."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import yaml

from flownb.importing.folder import Step
from flownb.importing.notes import Note

LANGUAGES = {"js": "javascript", "mjs": "javascript", "ts": "typescript", "py": "python"}
SENDERS = {"email"}
TEMPORARY = "/tmp/"  # noqa: S108 - a name to look for
KNOWN = {"namespace", "runtime", "uses", "props", "disabled", "type"}


def cells(step: Step, notes: list[Note]) -> Iterator[dict[str, Any]]:
    """The cells of a step; what is to be done about it is added to the notes."""
    place = f"step {step.name}"
    if (why := _uncarried(step)) is not None:
        notes.append(Note(place, why, "write what it does into its cell, in Python; the notebook shows what was there"))
        yield _markdown(step, why)
        yield _code(
            step, f'raise NotImplementedError("{step.name}: {_quoted(why)}, which is to be written in Python")\n'
        )
        return
    assert step.code is not None
    notes += [Note(place, *pair) for pair in _pointed_out(step.code)]
    yield _code(step, step.code)


def _uncarried(step: Step) -> str | None:
    """Why a step cannot be a cell as it is; None where it can."""
    if more := sorted(set(step.said) - KNOWN):
        return f"control flow of the hosted product ({', '.join(more)})"
    if step.code is None:
        return f"the prebuilt component {step.said['uses']}" if step.said.get("uses") else "a step without code"
    if not step.is_python:
        return f"code for {step.said.get('runtime') or 'Node.js'}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(step.code, "<step>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"code that is not valid Python ({error})"
    return None


def _pointed_out(code: str) -> Iterator[tuple[str, str]]:
    """What to know about code that is carried: found, and what to do."""
    tree = ast.parse(code)
    if foreign := sorted(_imported(tree) - set(sys.stdlib_module_names) - {"pipedream"}):
        yield f"it imports {', '.join(foreign)}", "install what the kernel's environment does not have"
    for node in ast.walk(tree):
        line = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            if node.value.attr == "send" and node.attr not in SENDERS:
                yield f"{line}: it calls pd.send.{node.attr}", "use a library, such as requests"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value == "$auth":
                yield f"{line}: it reads `$auth` of an account", "the input is the secret's text itself"
            elif node.value.startswith(TEMPORARY):
                yield f"{line}: it uses {node.value}", "files there may be gone after a pause: use another folder"


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def _code(step: Step, source: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": step.name}
    if step.said.get("disabled"):
        metadata["tags"] = ["skip"]
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def _markdown(step: Step, why: str) -> dict[str, Any]:
    shown = [f"## {step.name}\nThis step was {why}.\n"]
    rest = {key: value for key, value in step.said.items() if key not in ("namespace", "runtime")}
    shown.append(_fenced("yaml", yaml.safe_dump(rest, sort_keys=False, allow_unicode=True)))
    if step.code is not None and step.file is not None:
        shown.append(_fenced(LANGUAGES.get(step.file.rpartition(".")[2], ""), step.code))
    return {"cell_type": "markdown", "metadata": {}, "source": "\n".join(shown)}


def _fenced(language: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'").replace("\n", " ")
