"""Records of journals against their published schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wfrun.load.acceptance import is_accepted
from wfrun.load.schemas import record_schemas

# It belongs to the line, and has been checked before there is a record.
_CRC = {"crc": "00000000"}


def record_problem(record: Mapping[str, Any]) -> str | None:
    """What is wrong with a record by schemas/journal.schema.json; None if nothing is."""
    schema = record_schemas().get(record["type"])
    if schema is None:
        return f"this version does not know records of type {record['type']!r}"
    line = {**record, **_CRC}
    return None if is_accepted(schema, line) else _words(schema, line)


def _words(schema: Any, line: Mapping[str, Any]) -> str | None:
    """As the library puts it, which is only imported if something is wrong: its import takes a while."""
    from jsonschema import Draft7Validator

    error = next(Draft7Validator(schema).iter_errors(line), None)
    if error is None:
        return None
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{where.lstrip('.') or 'the record'}: {error.message}"
