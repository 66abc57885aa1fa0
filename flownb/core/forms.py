"""What a pause asks for: a JSON Schema, checked before the pause is used up."""

from __future__ import annotations

from collections.abc import Mapping

from jsonschema import exceptions, validators

from flownb.core.model import Json


def complaints(form: Json, data: Json) -> dict[str, str]:
    """What is wrong with ``data``, by field (``""`` for the whole); empty where it fits ``form``."""
    schema = form if isinstance(form, Mapping | bool) else {}
    validator = validators.validator_for(schema)(schema)
    found: dict[str, str] = {}
    try:
        for error in validator.iter_errors(data):
            missing = _missing(error)
            for field in missing or [".".join(str(part) for part in error.absolute_path)]:
                found.setdefault(field, "is required" if missing else error.message)
    except (exceptions.SchemaError, exceptions.UnknownType, ValueError, TypeError, RecursionError) as error:
        return {"": f"the form is no usable JSON Schema: {error}"}
    return found


def _missing(error: exceptions.ValidationError) -> list[str]:
    """The fields that a ``required`` rule misses, so that the complaint stands next to them."""
    if error.validator != "required" or not isinstance(error.instance, Mapping):
        return []
    where = [str(part) for part in error.absolute_path]
    names = error.validator_value if isinstance(error.validator_value, list) else []
    return [".".join([*where, name]) for name in names if name not in error.instance]
