"""The state of a sandbox for people: one table for each kind of thing, money as money."""

from __future__ import annotations

import sqlite3
from typing import Any

from wfrun.sandbox.money import amount

CALLS = """
SELECT system, action, count(*) AS calls, count(DISTINCT key) AS keys,
       sum(outcome LIKE 'done%') AS done, sum(outcome LIKE 'repeated%') AS repeated,
       sum(outcome IS NULL OR outcome NOT IN ('done', 'repeated')) AS trouble
FROM calls GROUP BY system, action ORDER BY min(id)
"""
Row = dict[str, Any]


def tables(db: sqlite3.Connection) -> dict[str, list[Row]]:
    """Every table by name, the ledger of calls summed up. Amounts stay in cents."""
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
    own = {name: _rows(db, f'SELECT * FROM "{name}"') for name in names if name not in ("calls", "answers")}
    faults, undone = own.pop("faults"), own.pop("undone")
    return {**own, "undone": undone, "faults": faults, "calls": _rows(db, CALLS)}


def render(found: dict[str, list[Row]]) -> str:
    return "\n\n".join(_table(name, rows) for name, rows in found.items())


def _rows(db: sqlite3.Connection, sql: str) -> list[Row]:
    cursor = db.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _table(name: str, rows: list[Row]) -> str:
    if not rows:
        return f"{name}: none"
    head = [column.removesuffix("_cents") for column in rows[0]]
    lines = [head, *([_cell(column, value) for column, value in row.items()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([name, *(f"  {line}".rstrip() for line in padded)])


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    text = f"${amount(value):,.2f}" if column.endswith("_cents") else str(value)
    if column == "at" or column.endswith("_at"):
        text = text[:19].replace("T", " ")
    return "".join(character if character.isprintable() else "?" for character in text)
