"""What can be known of a value before a run: from declared fields, and from what the engine itself makes.

A shape never says more than is certain: where a JSON Schema says something that is not understood here, nothing is
known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from wfrun.core.values import Json

# Whether an object may have fields that are not listed: `unsaid` where the schema leaves it open without saying so.
Others: TypeAlias = Literal["refused", "unsaid", "allowed"]

# Keywords that can add fields to those of `properties`, or lift what is said about them.
_COMBINING = ("allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas", "unevaluatedProperties")


class Shape(NamedTuple):
    """`kinds` are the JSON types that the value can have, none if that is not known; integers are numbers.

    `fields` are those of an object, None if they are not known; `optional` says of some why they may not be there.
    """

    kinds: frozenset[str] = frozenset()
    fields: Mapping[str, Shape] | None = None
    others: Others = "allowed"
    optional: Mapping[str, str] = MappingProxyType({})
    items: Shape | None = None

    def may_be(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


ANY = Shape()
TEXT = Shape(frozenset(["string"]))
NUMBER = Shape(frozenset(["number"]))


class Trouble(NamedTuple):
    """Why the part of a path at `position` is not there: `kind` (of its parent), `refused`, `unsaid` or `optional`."""

    what: str
    position: int
    parent: Shape
    reason: str = ""


def declared(fields: Mapping[str, Json], left_out: str) -> Shape:
    """The shape of an object with declared fields and no others; `left_out` says who leaves out an optional one."""
    optional = {name: left_out for name, written in fields.items() if _is_optional(written)}
    return an_object({name: of_schema(each) for name, each in fields.items()}, optional)


def of_schema(written: Json) -> Shape:
    """The shape that a type (`number?`) or a JSON Schema stands for."""
    if isinstance(written, str):
        return Shape(_kinds(written))
    if not isinstance(written, dict):
        return ANY
    kinds = _kinds(written.get("type"))
    items = of_schema(written["items"]) if "items" in written and "prefixItems" not in written else None
    listed = written.get("properties")
    if not isinstance(listed, dict) or any(keyword in written for keyword in _COMBINING):
        return Shape(kinds, items=items)
    said = written.get("additionalProperties")
    others: Others = "unsaid" if said is None else "refused" if said is False else "allowed"
    return Shape(kinds, {name: of_schema(each) for name, each in listed.items()}, others, items=items)


def of_decision(form: Mapping[str, Json], *, may_be_rejected: bool) -> Shape:
    """What a human task's `output` becomes. A rejection can go on without its form, or with other data."""
    data = declared(form, "the form may leave it out") if form else Shape(frozenset(["object"]))
    if form and may_be_rejected:
        optional = dict.fromkeys(form, "a rejection needs no form")
        data = Shape(data.kinds, data.fields, "unsaid", optional)
    fields = {**dict.fromkeys(("decision", "by", "at", "comment"), TEXT), "data": data}
    return an_object({**fields, "votes": a_list(ANY)})


def of_error(patterns: Iterable[str], *, of_services: bool) -> Shape:
    """What a handler knows as its error. Services may add to it; an answer of an HTTP server has a status.

    `of_services`: it comes from a call, unless the engine makes it. A `fail`, or a child execution, gives its error any
    type, and no more.
    """
    fields = {
        **dict.fromkeys(("type", "message", "step"), TEXT),
        **dict.fromkeys(("status", "attempt", "retryAfterMs"), NUMBER),
        **dict.fromkeys(("details", "cause", "retryable"), ANY),
    }
    certain = {"type", "message", "step"}
    if of_services and all(pattern.startswith("http.") and pattern[5:6].isdigit() for pattern in patterns):
        certain |= {"status", "attempt"}
    optional = dict.fromkeys(fields.keys() - certain, "not every error has it")
    return Shape(frozenset(["object"]), fields, "unsaid", optional)


def is_error(shape: Shape) -> bool:
    return shape.fields is not None and shape.fields.keys() == _AN_ERROR


def of_reason_to_undo() -> Shape:
    """What a compensation knows as its error: null when somebody cancelled."""
    shape = of_error(("*",), of_services=False)
    optional = dict.fromkeys(shape.fields or {}, "there is no error when it is cancelled")
    return shape._replace(kinds=shape.kinds | {"null"}, optional=optional)


def an_object(fields: Mapping[str, Shape], optional: Mapping[str, str] | None = None) -> Shape:
    """The shape of an object with these fields and no others."""
    return Shape(frozenset(["object"]), fields, "refused", optional or {})


def a_list(items: Shape) -> Shape:
    return Shape(frozenset(["array"]), items=items)


_AN_ERROR = (of_error(("*",), of_services=False).fields or {}).keys()

# What a wait gives.
EVENT = an_object({**dict.fromkeys(("id", "type", "source", "time"), TEXT), "data": ANY})


def troubles(shape: Shape, parts: tuple[str | int, ...]) -> Iterator[Trouble]:
    """What keeps a path from being there, from the left; nothing where that cannot be told."""
    for position, part in enumerate(parts):
        if not shape.may_be("array" if isinstance(part, int) else "object"):
            yield Trouble("kind", position, shape)
            return
        if isinstance(part, str) and shape.fields is not None and part not in shape.fields:
            if shape.others != "allowed":
                yield Trouble(shape.others, position, shape)
            return
        if part in shape.optional:
            yield Trouble("optional", position, shape, shape.optional[str(part)])
        shape = part_of(shape, part)


def at(shape: Shape, parts: tuple[str | int, ...]) -> Shape:
    """The shape at the end of a path."""
    for part in parts:
        shape = part_of(shape, part)
    return shape


def part_of(shape: Shape, part: str | int) -> Shape:
    if isinstance(part, int):
        return shape.items or ANY
    return (shape.fields or {}).get(part, ANY)


def a_kind(shape: Shape) -> str:
    """The kinds of a shape as people say them."""
    return " or ".join(sorted(_WORDS[kind] for kind in shape.kinds))


_WORDS = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _kinds(written: Any) -> frozenset[str]:
    names = [written] if isinstance(written, str) else written if isinstance(written, list) else []
    kinds = {str(name).removesuffix("?").replace("integer", "number") for name in names}
    return frozenset() if "any" in kinds or not kinds <= _WORDS.keys() else frozenset(kinds)


def _is_optional(written: Json) -> bool:
    """Optional and without a default, which would be there."""
    if isinstance(written, dict):
        return "default" not in written and str(written.get("type", "")).endswith("?")
    return isinstance(written, str) and written.endswith("?")
