"""A workflow or services file: read, checked for its shape, and all its problems told at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wfrun.core.definition import Document
from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem
from wfrun.load.field_types import check_field_types, declared_fields
from wfrun.load.shape import check_shape, in_order, shape_fingerprint
from wfrun.load.yaml import parse_document

__all__ = ["check_shape", "load_definition", "load_services", "normalise_services", "shape_fingerprint"]

MAX_PROBLEMS = 20


def load_definition(source: bytes, file: str) -> Document:
    """A workflow file of the right shape. What it *means* (names, references, expressions) is the plan's matter.

    Raises InvalidError with every problem, ordered by place; after the first 20 only their number is told.
    """
    document = parse_document(source, file)
    problems = check_shape(document, "workflow")
    for path in declared_fields(document.data):
        problems.extend(check_field_types(document, path))
    _refuse(problems)
    return document


def load_services(source: bytes, file: str) -> dict[str, dict[str, Any]]:
    """A services file: service name → entry, whether the names stand at the top or under the key `services`."""
    document = parse_document(source, file)
    _refuse(check_shape(document, "services"))
    return normalise_services(document.data)


def normalise_services(data: Json) -> dict[str, dict[str, Any]]:
    """The entries of a services file that has the right shape. A service that is itself named `services` stays one."""
    entries: dict[str, Any] = data if isinstance(data, dict) else {}
    nested = entries.get("services")
    return entries if not isinstance(nested, dict) or "adapter" in nested else nested


def _refuse(problems: Sequence[Problem]) -> None:
    ordered = in_order(dict.fromkeys(problems))
    if len(ordered) > MAX_PROBLEMS:
        rest = len(ordered) - MAX_PROBLEMS
        more = Problem("schema.more", f"and {rest} more {'problem' if rest == 1 else 'problems'}", ordered[0].place)
        ordered = [*ordered[:MAX_PROBLEMS], more._replace(place=more.place._replace(line=0, column=0, path=""))]
    if ordered:
        raise InvalidError(ordered)
