"""A workflow's folder as the hosted original writes it: ``workflow.yaml``, and a folder with the code of each step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flownb.core.errors import InvalidValue, shown

FILE = "workflow.yaml"
MOST_BYTES = 2_000_000


class _Loader(yaml.SafeLoader):
    """YAML's core schema, in which `off` and dates are texts."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), ["t", "f"])


@dataclass(frozen=True)
class Step:
    """A step: ``said`` is its entry in ``workflow.yaml``, ``code`` the file that it uses, None where it uses none."""

    name: str
    said: Mapping[str, Any]
    file: str | None
    code: str | None

    @property
    def is_python(self) -> bool:
        return self.file is not None and self.file.endswith(".py")


@dataclass(frozen=True)
class Source:
    """What a folder holds, read and checked."""

    name: str
    said: Mapping[str, Any]
    settings: Mapping[str, Any]
    triggers: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]


def read(folder: Path) -> Source:
    """Raises ``InvalidValue``, which names the file and what is wrong with it."""
    said = _mapping(_yaml(folder / FILE), f"{folder / FILE}")
    triggers = tuple(_mapping(one, "a trigger") for one in _listed(said, "triggers"))
    steps = tuple(_step(folder, one, place) for place, one in enumerate(_listed(said, "steps"), 1))
    if not steps:
        raise InvalidValue(f"{folder / FILE} has no steps: there is nothing to import")
    return Source(
        name=str(said.get("name") or folder.resolve().name),
        said=said,
        settings=_mapping(said.get("settings") or {}, "`settings`"),
        triggers=triggers,
        steps=steps,
    )


def _yaml(file: Path) -> Any:
    try:
        return yaml.load(_text(file), Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise InvalidValue(f"{file} is not YAML: {' '.join(str(error).split())}") from None


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidValue(f"{file} is larger than {MOST_BYTES:,} bytes")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidValue(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidValue(f"{file} is not UTF-8 text") from None


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue(f"{what} is to be a mapping, got {shown(value)}")
    return {str(key): one for key, one in value.items()}


def _listed(said: Mapping[str, Any], key: str) -> list[Any]:
    value = said.get(key) or []
    if not isinstance(value, list):
        raise InvalidValue(f"`{key}` is to be a list, got {shown(value)}")
    return value


def _step(folder: Path, entry: Any, place: int) -> Step:
    said = _mapping(entry, f"step {place}")
    name, uses = said.get("namespace"), said.get("uses")
    if not isinstance(name, str) or not name:
        raise InvalidValue(f"step {place} has no `namespace`, which is its name")
    if not isinstance(uses, str) or not uses.startswith("./"):
        return Step(name, said, None, None)
    file = (folder / uses).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise InvalidValue(f"step {name!r} uses {uses}, which is outside of {folder}")
    return Step(name, said, uses, _text(file))
