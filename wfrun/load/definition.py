"""A workflow or services file: read, checked for its shape, and all its problems told at once."""

from __future__ import annotations

from collections.abc import Sequence

from wfrun.core.definition import Document
from wfrun.errors import InvalidError, Problem, in_order
from wfrun.load.schemas import shape_fingerprint
from wfrun.load.yaml import parse_document

__all__ = ["load_definition", "load_services", "services_in", "shape_fingerprint"]

MAX_PROBLEMS = 20


def load_definition(source: bytes, file: str) -> Document:
    """A workflow file of the right shape. What it *means* (names, references, expressions) is the plan's matter.

    Raises InvalidError with every problem, ordered by place; after the first 20 only their number is told.
    """
    from wfrun.load.field_types import check_field_types, declared_fields
    from wfrun.load.shape import check_shape

    document = parse_document(source, file)
    problems = check_shape(document, "workflow")
    for path in declared_fields(document.data):
        problems.extend(check_field_types(document, path))
    _refuse(problems)
    return document


def load_services(source: bytes, file: str) -> Document:
    """A services file of the right shape; `services_in` tells where its entries are. Raises InvalidError."""
    from wfrun.load.shape import check_shape

    document = parse_document(source, file)
    _refuse(check_shape(document, "services"))
    return document


def services_in(document: Document) -> tuple[str, ...]:
    """The path of the entries of a services file: its top, or the key `services`, unless that is a service itself."""
    entries = document.data
    nested = entries.get("services") if isinstance(entries, dict) else None
    return ("services",) if isinstance(nested, dict) and "adapter" not in nested else ()


def _refuse(problems: Sequence[Problem]) -> None:
    ordered = in_order(problems)
    if len(ordered) > MAX_PROBLEMS:
        rest = len(ordered) - MAX_PROBLEMS
        more = Problem("schema.more", f"and {rest} more {'problem' if rest == 1 else 'problems'}", ordered[0].place)
        ordered = [*ordered[:MAX_PROBLEMS], more._replace(place=more.place._replace(line=0, column=0, path=""))]
    if ordered:
        raise InvalidError(ordered)
