"""Where a value departs from a JSON Schema, in plain words: the only place that knows the validator's keywords."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from wfrun.core.definition import Path
from wfrun.core.values import Json


class Departure(NamedTuple):
    """`keyword` of `schema` asked for `wanted`, which the value at `path` is not; `of_key`: it is about a key there."""

    path: Path
    value: Any
    keyword: str
    wanted: Any
    schema: Mapping[str, Any]
    of_key: bool
    message: str

    def __str__(self) -> str:
        """`must be a number, not text`: to stand behind the name of the value."""
        if self.keyword in ("required", "additionalProperties", "dependentRequired"):
            return f"does not fit: {_short(self.message)}"
        found = kind(self.value) if self.keyword == "type" else f"`{shown(self.value)}`"
        return f"must be {self.expectation}, not {found}"

    @property
    def expectation(self) -> str:
        """What would have been right, to stand behind "must be"."""
        describe = _EXPECTATIONS.get(self.keyword)
        if describe is None:
            return f"as its schema says (`{self.keyword}`)"
        return describe(self.wanted, str(self.schema.get("title", "")))


def departures(validator: Any, value: Json) -> Iterator[Departure]:
    """What a validator of the jsonschema package finds in `value`."""
    for error in validator.iter_errors(value):
        yield Departure(
            tuple(error.absolute_path),
            error.instance,
            str(error.validator),
            error.validator_value,
            error.schema if isinstance(error.schema, dict) else {},
            "propertyNames" in error.absolute_schema_path,
            error.message,
        )


def with_pattern(base: Any, matches: Callable[[str, str], object]) -> Any:
    """The validator class `base` with another idea of when a `pattern` matches a text."""
    from jsonschema import ValidationError, validators

    def check(_validator: Any, pattern: str, value: object, _schema: object) -> Iterator[ValidationError]:
        if isinstance(value, str) and not matches(pattern, value):
            yield ValidationError("does not match")

    return validators.extend(base, {"pattern": check})  # type: ignore[no-untyped-call]


def kind(value: object) -> str:
    """The kind of a JSON value as people say it; the value itself where it is short anyway."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return f"`{shown(value)}`"
    if isinstance(value, str):
        return "text"
    return "a mapping" if isinstance(value, dict) else "a list"


def type_name(name: str) -> str:
    """A JSON Schema type as people say it."""
    return _TYPES[name]


def shown(value: object) -> str:
    """A value, or the beginning of a long one."""
    return _short(_written(value))


def _written(value: object) -> str:
    """As people write it: text as it is, all else in JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _one_of(values: Iterable[object], title: str) -> str:
    if title == "Type":
        return f"one of the types {', '.join(f'`{value}`' for value in values if not str(value).endswith('?'))}"
    quoted = [f"`{_written(value)}`" for value in values]
    return " or ".join(quoted) if len(quoted) <= 4 else f"one of {', '.join(quoted)}"


def _types(value: str | list[str], _title: str) -> str:
    return " or ".join(_TYPES.get(name, name) for name in ([value] if isinstance(value, str) else value))


def _pattern(pattern: str, title: str) -> str:
    return _PATTERNS.get(title, f"text like `{pattern}`")


_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_NAME = "letters, digits, `.`, `_` and `-`, starting with a letter or digit, at most 128 of them"
_PATTERNS = {
    "Name": "small letters, digits, `.`, `_` and `-`, starting with a letter or digit, at most 64 of them",
    "Step name": _NAME,
    "Service": _NAME,
    "Duration": "a duration such as `30s`, `5m`, `24h`, `PT24H` or a number of milliseconds",
    "Decision": "letters, digits, `.`, `_` and `-`, starting with a letter or digit, at most 64 of them",
    "Request": "a method and a path, such as `POST /orders/{id}`",
    "Path": "a path that begins with `/`",
    "Output key": "letters, digits and `_`, not starting with a digit, at most 128 of them",
    "Event": "the name of an event: letters, digits, `.`, `_`, `-`, `:` and `/`, at most 128 of them",
    "Instant": "an instant such as `2030-01-31T09:30:00Z` or `2030-01-31`, or a path to one",
    "Workflow": "the name of a workflow or the path of its file, as it stands",
    "Tolerated failures": "a number or a share such as `25%`",
    "Module": "a module by the name that Python imports it by, such as `services.payment`",
    "Function": "the name of a function, such as `charge_card`",
}
_EXPECTATIONS: dict[str, Callable[[Any, str], str]] = {
    "type": _types,
    "enum": _one_of,
    "const": lambda value, _title: f"`{_written(value)}`",
    "pattern": _pattern,
    "minimum": lambda value, _title: f"{value} or more",
    "maximum": lambda value, _title: f"{value} or less",
    "exclusiveMinimum": lambda value, _title: f"more than {value}",
    "exclusiveMaximum": lambda value, _title: f"less than {value}",
    "multipleOf": lambda value, _title: f"a multiple of {value}",
    "minLength": lambda value, _title: "text that is not empty" if value == 1 else f"{value} characters or more",
    "maxLength": lambda value, _title: f"{value} characters or less",
    "minItems": lambda value, _title: "a list that is not empty" if value == 1 else f"a list of {value} or more",
    "maxItems": lambda value, _title: f"a list of {value} or less",
    "minProperties": lambda value, _title: "a mapping that is not empty" if value == 1 else f"{value} keys or more",
    "maxProperties": lambda value, _title: f"{value} keys or less",
    "uniqueItems": lambda _value, _title: "a list in which nothing stands twice",
    "not": lambda value, title: (
        _EXPECTATIONS["reserved"](value, title) if value.get("title") == "Reserved" else "something else"
    ),
    "reserved": lambda _value, _title: "another word: execution, item, index, error, result and event are reserved",
}
