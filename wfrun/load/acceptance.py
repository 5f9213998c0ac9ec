"""Whether a value is as one of our schemas wants it: yes or no, and nothing else.

Importing jsonschema takes longer than everything else that a first run of a workflow does. It is the judge all the
same: it is asked for whatever is not accepted here, and only it finds the words. What is here are the keywords that our
own schemas use (JSON Schema draft 7), in the sense of that package; tests hold both against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any


def is_accepted(schema: Mapping[str, Any], value: object) -> bool:
    """Whether `value` is as `schema`, one of our own with its references resolved, wants it.

    False also for what is nested so deep that there is no telling. Raises KeyError for a keyword that is not known.
    """
    try:
        return _fits(schema, value)
    except RecursionError:
        return False


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    return all(KEYWORDS[keyword](wanted, value, schema) for keyword, wanted in schema.items())


def _type(wanted: str | list[str], value: Any, _schema: Mapping[str, Any]) -> bool:
    if isinstance(wanted, str):
        return _TYPES[wanted](value)
    return any(_TYPES[name](value) for name in wanted)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _properties(wanted: Mapping[str, Any], value: Any, _schema: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(_fits(wanted[key], value[key]) for key in value if key in wanted)


def _additional_properties(wanted: bool | Mapping[str, Any], value: Any, schema: Mapping[str, Any]) -> bool:
    if not isinstance(value, dict) or wanted is True:
        return True
    more = value.keys() - schema.get("properties", {}).keys()
    return not more if wanted is False else all(_fits(wanted, value[key]) for key in more)


def _property_names(wanted: Mapping[str, Any], value: Any, _schema: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(_fits(wanted, key) for key in value)


def _items(wanted: Mapping[str, Any], value: Any, _schema: Mapping[str, Any]) -> bool:
    return not isinstance(value, list) or all(_fits(wanted, item) for item in value)


def _if(wanted: Mapping[str, Any], value: Any, schema: Mapping[str, Any]) -> bool:
    return _fits(schema.get("then" if _fits(wanted, value) else "else", {}), value)


def _all_of(wanted: list[Mapping[str, Any]], value: Any, _schema: Mapping[str, Any]) -> bool:
    return all(is_for_another_type(each, value) or _fits(each, value) for each in wanted)


def is_for_another_type(schema: Mapping[str, Any], value: object) -> bool:
    """Whether `schema` says `if` the type of a step is such and such, and it is not: then it has no more to say.

    There are as many of these as there are types of steps, and to see it at a glance saves most of the time.
    """
    asked = schema.get("if", {}).get("properties", {}).get("type", {}).get("const")
    return asked is not None and isinstance(value, dict) and value.get("type", asked) != asked


def _dependencies(wanted: Mapping[str, list[str]], value: Any, _schema: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(key not in value or value.keys() >= {*wanted[key]} for key in wanted)


def _is_unique(wanted: bool, value: Any, _schema: Mapping[str, Any]) -> bool:
    # Python takes 1 and True for equal, JSON Schema does not: rather ask it once too often.
    return not wanted or not isinstance(value, list) or not any(item in value[:at] for at, item in enumerate(value))


def _note(_wanted: object, _value: object, _schema: Mapping[str, Any]) -> bool:
    """A keyword that says nothing about values, or that another one has taken into account."""
    return True


KEYWORDS: dict[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "type": _type,
    "enum": lambda wanted, value, _: value in wanted,
    "const": lambda wanted, value, _: bool(value == wanted),
    "properties": _properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "required": lambda wanted, value, _: not isinstance(value, dict) or all(key in value for key in wanted),
    "items": _items,
    "uniqueItems": _is_unique,
    "if": _if,
    "allOf": _all_of,
    "anyOf": lambda wanted, value, _: any(_fits(each, value) for each in wanted),
    "dependencies": _dependencies,
    "not": lambda wanted, value, _: not _fits(wanted, value),
    "pattern": lambda wanted, value, _: not isinstance(value, str) or re.fullmatch(wanted, value) is not None,
    "minimum": lambda wanted, value, _: not _is_number(value) or value >= wanted,
    "maximum": lambda wanted, value, _: not _is_number(value) or value <= wanted,
    "exclusiveMaximum": lambda wanted, value, _: not _is_number(value) or value < wanted,
    "minLength": lambda wanted, value, _: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda wanted, value, _: not isinstance(value, str) or len(value) <= wanted,
    "minItems": lambda wanted, value, _: not isinstance(value, list) or len(value) >= wanted,
    "minProperties": lambda wanted, value, _: not isinstance(value, dict) or len(value) >= wanted,
    **dict.fromkeys(("then", "else", "$schema", "title", "description", "default", "examples"), _note),
    **dict.fromkeys(("errorMessage", "patternErrorMessage", "enumDescriptions", "defaultSnippets"), _note),
}
