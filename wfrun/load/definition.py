"""A workflow or services file: read, checked for its shape, and all its problems told at once."""

from __future__ import annotations

from collections.abc import Sequence

from wfrun.core.definition import Document
from wfrun.errors import InvalidError, Problem, bounded, in_order
from wfrun.load.schemas import shape_fingerprint
from wfrun.load.yaml import parse_document

__all__ = [
    "examine_definition",
    "examine_services",
    "load_definition",
    "load_services",
    "services_in",
    "shape_fingerprint",
]


def load_definition(source: bytes, file: str) -> Document:
    """A workflow file of the right shape. What it *means* (names, references, expressions) is the plan's matter.

    Raises InvalidError with every problem, ordered by place; after the first 20 only their number is told.
    """
    document, problems = examine_definition(source, file)
    _refuse(problems)
    return document


def examine_definition(source: bytes, file: str) -> tuple[Document, list[Problem]]:
    """What is left of a workflow file without the parts that are not of the right shape, and what is wrong with those.

    Raises InvalidError for a file that says nothing at all: one that is not YAML, or not a mapping.
    """
    from wfrun.load.field_types import check_field_types, declared_fields
    from wfrun.load.shape import examine_shape

    written = parse_document(source, file)
    document, problems = examine_shape(written, "workflow")
    unsound = [found for path in declared_fields(written.data) for found in check_field_types(written, path)]
    if unsound:
        from wfrun.load.salvage import salvage

        document = salvage(document, "workflow", (), {path for path, _ in unsound})
    return document, in_order([*problems, *(problem for _, problem in unsound)])


def load_services(source: bytes, file: str) -> Document:
    """A services file of the right shape; `services_in` tells where its entries are. Raises InvalidError."""
    document, problems = examine_services(source, file)
    _refuse(problems)
    return document


def examine_services(source: bytes, file: str) -> tuple[Document, list[Problem]]:
    """What is left of a services file, and what is wrong with it, as of a workflow."""
    from wfrun.load.shape import examine_shape

    return examine_shape(parse_document(source, file), "services")


def services_in(document: Document) -> tuple[str, ...]:
    """The path of the entries of a services file: its top, or the key `services`, unless that is a service itself."""
    entries = document.data
    nested = entries.get("services") if isinstance(entries, dict) else None
    return ("services",) if isinstance(nested, dict) and "adapter" not in nested else ()


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidError(bounded(problems))
