"""Declared fields (`input:` of a workflow, `form:` of a task): what their types mean, and whether they are sound.

A field is a type (`string`), a type with `?` (`string?`, optional), or a JSON Schema (draft 2020-12), optional if its
type carries the `?` or it has a `default`. References to files are replaced by what they lead to (see `references`)
before a schema gets here, all others are refused: nothing is ever fetched. `pattern` is matched by a linear-time
engine; `format` is a note, as in the draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from wfrun.core.definition import Document, Path
from wfrun.core.expression.decimals import to_decimal
from wfrun.core.values import Json
from wfrun.errors import Place, Problem
from wfrun.load.departures import departures, with_pattern
from wfrun.load.subschemas import subschemas

if TYPE_CHECKING:
    from jsonschema import ValidationError


class Field(NamedTuple):
    """A declared field. `type` is a JSON Schema type or `any`; `schema` is what is asked beyond it, if anything."""

    type: str
    optional: bool
    schema: Mapping[str, Any] | None
    default: Json = None
    has_default: bool = False


def read_field(declared: Json) -> Field:
    """A field of the right shape as its parts."""
    if isinstance(declared, str):
        return Field(declared.removesuffix("?"), declared.endswith("?"), None)
    if not isinstance(declared, dict):
        raise TypeError(f"a field is text or a mapping, not {type(declared).__name__}")
    schema: dict[str, Any] = {key: value for key, value in declared.items() if key not in _NOTES}
    kind = schema.pop("type", "any")
    if not isinstance(kind, str):
        schema, kind = {**schema, "type": kind}, "any"
    has_default = "default" in declared
    optional = has_default or kind.endswith("?")
    return Field(kind.removesuffix("?"), optional, schema or None, declared.get("default"), has_default)


# Keys of a schema that say nothing about which values are right.
_NOTES = ("default", "title", "description", "examples", "$comment", "format", "readOnly", "writeOnly", "deprecated")


def declared_fields(data: Json) -> Iterator[Path]:
    """Where in a workflow fields are declared: its `input` and the `form` of every step, at any depth."""
    if isinstance(data, dict):
        if "input" in data:
            yield ("input",)
        for block in ("steps", "compensations"):
            yield from _forms(data.get(block), (block,))


def _forms(value: Json, path: Path) -> Iterator[Path]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _forms(item, (*path, index))
    elif isinstance(value, dict):
        if value.get("type") == "human-task" and "form" in value:
            yield (*path, "form")
        for key in _BLOCKS & value.keys():
            yield from _forms(value[key], (*path, key))


_BLOCKS = {"steps", "then", "else", "cases", "catch", "finally", "onError"}


def check_field_types(document: Document, path: Path) -> Iterator[tuple[Path, Problem]]:
    """What the shape check cannot say about the fields declared at `path`: unsound schemas, defaults that don't fit;
    each with the path of its field.

    Those of the input that refer to files are left to `references`, which knows what is in the files.
    """
    fields: Any = document.data
    for part in path:
        fields = fields[part]
    for name, declared in fields.items() if isinstance(fields, dict) else ():
        if isinstance(declared, dict) and not (path == ("input",) and refers(declared)):
            field = (*path, name)
            yield from ((field, problem) for problem in check_schema(declared, field, document.place))


def refers(declared: Json) -> bool:
    """Whether a field has a `$ref` in it."""
    return any("$ref" in schema for _, schema in subschemas(declared))


def check_schema(declared: dict[str, Json], path: Path, place: Callable[[Path], Place]) -> Iterator[Problem]:
    """What is wrong with the schema of a field at `path`; `place` knows where what is at a path stands."""
    field = read_field(declared)
    schema = {**(field.schema or {}), **({} if field.type == "any" else {"type": field.type})}
    unsound = list(_unsound(schema))
    for where, code, message, hint in unsound:
        yield Problem(code, message, place((*path, *where)), hint)
    if field.has_default and not unsound:
        for found in departures(validator(schema), field.default):
            where = (*path, "default", *found.path)
            yield Problem("field.default", f"the default does not fit the field: it {found}", place(where))


def _unsound(schema: dict[str, Any]) -> Iterator[tuple[Path, str, str, str]]:
    """Path, code, message and hint of whatever keeps `schema` from being a JSON Schema that stands for itself."""
    from jsonschema import Draft202012Validator

    for path, each in subschemas(schema):
        for key, value in each.items():
            if key in _REFUSED:
                yield (*path, key), "field.keyword", f"`{key}` is not accepted in a field", _REFUSED[key]
            elif key == "pattern" and isinstance(value, str):
                yield from _bad_pattern((*path, key), value)
    try:
        for found in departures(Draft202012Validator(Draft202012Validator.META_SCHEMA), schema):
            yield found.path, "field.schema", f"this is not JSON Schema: it {found}", ""
    except RecursionError:
        yield (), "field.schema", "this JSON Schema is nested too deep", ""


_IN_A_FILE = "put the schema into a file, and refer to it from the `input`: { $ref: ./defs.yaml#/$defs/customer }"
_REFUSED = {
    # Those of the input have been replaced: what is still there stands in a form.
    "$ref": "a form is kept in the journal as it is: write it out, or use a YAML anchor",
    **dict.fromkeys(("$dynamicRef", "$anchor", "$dynamicAnchor", "$defs"), _IN_A_FILE),
    "$id": "a schema is known by its file",
    "$schema": "fields are JSON Schema draft 2020-12",
    "patternProperties": "use `propertyNames` and `additionalProperties`",
}


def _bad_pattern(path: Path, pattern: str) -> Iterator[tuple[Path, str, str, str]]:
    import re2

    try:
        compile_pattern(pattern)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        hint = "patterns are RE2: no look-around, no back-references"
        yield path, "field.pattern", f"not a pattern: {reason}", hint


@cache
def compile_pattern(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def validator(schema: Mapping[str, Any]) -> Any:
    """A validator (of the jsonschema package) of a sound schema. No reference is in it; nothing would be fetched."""
    from referencing import Registry

    return _validator_class()(schema, registry=Registry())


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, validators

    base = with_pattern(Draft202012Validator, lambda pattern, text: compile_pattern(pattern).search(text))
    return validators.extend(base, {"multipleOf": _multiple_of})  # type: ignore[no-untyped-call]


def _multiple_of(_validator: Any, wanted: float, value: Json, _schema: object) -> Iterator[ValidationError]:
    """Of the numbers as they are written: 0.3 is a multiple of 0.1, which it is not of the doubles that they become."""
    from fractions import Fraction

    from jsonschema import ValidationError

    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if Fraction(to_decimal(value)) % Fraction(to_decimal(wanted)):
        yield ValidationError(f"is not a multiple of {wanted}")
