"""What a pause asks for: a JSON Schema, checked before the pause is used up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, exceptions, validators
from referencing.jsonschema import EMPTY_REGISTRY

from flownb.core.errors import shown
from flownb.core.model import Json
from flownb.core.rules import FORMAT_CHECKER, must_be, not_one_of, said

Complaint = tuple[tuple[str | int, ...], str]
"""The path of a value in the data, and what is wrong with it."""


def unusable(form: Json) -> str | None:
    """Why a form is no JSON Schema, so that no data ever fits it; None where it is one."""
    if not isinstance(form, Mapping | bool):
        return f"it is {shown(form)}"
    try:
        _dialect(form).check_schema(form)
    except exceptions.SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        return f"{where}: {error.message}" if where else error.message
    except Exception as error:  # whatever the library makes of what is no schema
        return str(error)
    return None


def complaints(form: Json, data: Json) -> dict[str, str]:
    """What is wrong with ``data``, by field (``""`` for the whole); empty where it fits ``form``.

    A field's name is its path in the data, dotted. References to other documents are not followed.
    """
    found: dict[str, str] = {}
    why = unusable(form)
    try:
        for error in () if why else _validator(form).iter_errors(data):
            for path, complaint in _told(error):
                found.setdefault(".".join(str(part) for part in path), complaint)
    except Exception as error:  # a reference that leads nowhere, or around in a circle
        why = str(error)
    return {"": f"the form is no usable JSON Schema: {why}"} if why else found


def _dialect(form: Json) -> Any:
    return validators.validator_for(form, default=Draft202012Validator)


def _validator(form: Json) -> Any:
    return _dialect(form)(form, registry=EMPTY_REGISTRY, format_checker=FORMAT_CHECKER)


def _told(error: ValidationError) -> Iterator[Complaint]:
    """One error in the words of people, at the fields that it is about."""
    path, rule = tuple(error.absolute_path), error.validator
    instance: Any = error.instance
    value: Any = error.validator_value
    if rule == "required":
        yield from (((*path, name), "is required") for name in value if name not in instance)
    elif rule == "dependentRequired":
        needed = (name for field, names in value.items() if field in instance for name in names)
        yield from (((*path, name), "is required") for name in needed if name not in instance)
    elif rule == "additionalProperties":
        yield from (((*path, name), "is not asked for") for name in _unknown(error.schema, instance))
    elif rule in ("anyOf", "oneOf") and error.context:
        yield from _by_alternative(error, error.context)
    else:
        yield path, said(error)


def _unknown(schema: Any, instance: Mapping[str, Any]) -> Iterator[str]:
    """The names in an object that its schema does not have."""
    names, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return (name for name in instance if name not in names and not any(re.search(each, name) for each in patterns))


def _by_alternative(error: ValidationError, context: list[ValidationError]) -> Iterator[Complaint]:
    """What is wrong by the alternative that was meant: the only one for values of this sort."""
    path = tuple(error.absolute_path)
    alternatives = [list(each) for _, each in groupby(context, key=lambda one: one.schema_path[0])]
    meant = [each for each in alternatives if not any(_of_another_sort(one) for one in each)]
    if len(meant) == 1:
        for one in meant[0]:
            yield from _told(one)
    elif values := _wanted(context, "const", "enum"):
        yield path, not_one_of(values)
    elif not meant and (types := _wanted(context, "type")):
        yield path, must_be(types)
    else:
        yield path, "fits none of the possibilities"


def _of_another_sort(error: ValidationError) -> bool:
    """Of another type, or by a value that tells the alternatives apart."""
    return error.validator in ("const", "enum") or (error.validator == "type" and not error.path)


def _wanted(context: list[ValidationError], *rules: str) -> list[Any]:
    """What the alternatives want the value itself to be, by those rules."""
    wanted = ((one.validator, one.validator_value) for one in context if one.validator in rules and not one.path)
    return [
        each for rule, value in wanted for each in (value if isinstance(value, list) and rule != "const" else [value])
    ]
