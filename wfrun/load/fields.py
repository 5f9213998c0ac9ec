"""Values against declared fields: the input of an execution, the data of a decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from wfrun.core.definition import render_path
from wfrun.core.values import Json
from wfrun.errors import InvalidError, Place, Problem
from wfrun.load.departures import departures, kind, shown, type_name
from wfrun.load.field_types import Field, read_field, validator


def check_fields(fields: Mapping[str, Json], values: Mapping[str, Json], *, file: str, what: str) -> dict[str, Json]:
    """`values` with defaults filled in, in the order declared, and within objects and lists that are there.

    `fields` is a sound `input:` or `form:`; `what` names the whole in messages (`input`, `form`). Raises InvalidError
    with every missing (`field.missing`), unknown (`field.unknown`) and wrong (`field.type`, `field.value`) value.
    """
    declared = {name: read_field(field) for name, field in fields.items()}
    values = {
        name: _filled(declared[name].schema, value) if name in declared else value for name, value in values.items()
    }
    problems = [*_missing(declared, values, what), *_unknown(declared, values, what)]
    for name, field in declared.items():
        if name in values:
            problems.extend(_wrong(name, field, values[name], what))
    if problems:
        raise InvalidError([problem._replace(place=problem.place._replace(file=file)) for problem in problems])
    given = {name: field.default for name, field in declared.items() if field.has_default} | values
    return {name: _filled(declared[name].schema, given[name]) for name in declared if name in given}


def _filled(schema: object, value: Json) -> Json:
    if not isinstance(schema, Mapping):
        return value
    match value, schema:
        case list(), {"items": items}:
            return [_filled(items, each) for each in value]
        case dict(), {"properties": Mapping() as parts}:
            defaults = {name: part["default"] for name, part in parts.items() if _has_default(part)}
            return {name: _filled(parts.get(name), each) for name, each in {**defaults, **value}.items()}
    return value


def _has_default(schema: object) -> bool:
    return isinstance(schema, Mapping) and "default" in schema


def _missing(declared: Mapping[str, Field], values: Mapping[str, Json], what: str) -> Iterator[Problem]:
    for name, field in declared.items():
        if name not in values and not field.optional:
            expected = "any value" if field.type == "any" else type_name(field.type)
            yield Problem("field.missing", f"the {what} needs `{name}` ({expected})", _place(what, name))


def _unknown(declared: Mapping[str, Field], values: Mapping[str, Json], what: str) -> Iterator[Problem]:
    for name in values:
        if name not in declared:
            from wfrun.load.names import did_you_mean

            hint = did_you_mean(name, declared)
            yield Problem("field.unknown", f"the {what} has no field `{shown(name)}`", _place(what, name), hint)


def _wrong(name: str, field: Field, value: Json, what: str) -> Iterator[Problem]:
    if not _TYPES[field.type](value):
        message = f"`{what}.{name}` must be {type_name(field.type)}, not {kind(value)}"
        hint = "leave it out instead" if value is None and field.optional else ""
        yield Problem("field.type", message, _place(what, name), hint)
    elif field.schema is not None:
        yield from _departures(name, field.schema, value, what)


def _departures(name: str, schema: Mapping[str, object], value: Json, what: str) -> Iterator[Problem]:
    try:
        for found in departures(validator(schema), value):
            path = f"{what}.{render_path((name, *found.path))}"
            yield Problem("field.value", f"`{path}` {found}", Place(path=path))
    except (ArithmeticError, RecursionError):
        yield Problem("field.value", f"`{what}.{name}` is too large to be checked", _place(what, name))


def _place(what: str, name: str) -> Place:
    return Place(path=f"{what}.{name}")


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    """As JSON Schema has it: 1.0 is one."""
    return _is_number(value) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


_TYPES: dict[str, Callable[[Json], bool]] = {
    "any": lambda value: True,
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
