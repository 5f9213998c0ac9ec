"""The purchasing department, as small as it gets: a budget and a list of orders, in ledger.sqlite beside this file.

A function is an action: `hold_budget` here is `action: holdBudget` in the workflow. It gets the step's input, returns
JSON, and raises ServiceError for an answer that is not a result. A step may be tried again, even after a power cut, and
nobody can know whether the first try arrived. So every function here does its work once for each reference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from wfrun import ServiceError

BUDGET_CENTS = 10_000_00
TABLES = """
CREATE TABLE IF NOT EXISTS holds (reference TEXT PRIMARY KEY, cents INTEGER);
CREATE TABLE IF NOT EXISTS orders (reference TEXT PRIMARY KEY, product TEXT, cost_centre TEXT);
"""


def hold_budget(input: dict[str, Any]) -> dict[str, Any]:
    cents = round(input["amount"] * 100)
    with _ledger() as db:
        db.execute("INSERT OR IGNORE INTO holds VALUES (?, ?)", (input["reference"], cents))
        left = BUDGET_CENTS - db.execute("SELECT sum(cents) FROM holds").fetchone()[0]
        if left < 0:
            # Another try would not help, so there is none.
            raise ServiceError("budget.exceeded", f"{-left / 100:.2f} more than the budget allows", retryable=False)
    return {"left": left / 100}


def release_budget(input: dict[str, Any]) -> None:
    """Undoes hold_budget. There may be nothing to undo: that is fine."""
    with _ledger() as db:
        db.execute("DELETE FROM holds WHERE reference = ?", (input["reference"],))


def place_order(input: dict[str, Any]) -> dict[str, Any]:
    if "unicorn" in input["product"]:
        raise ServiceError("supplier.unknown-product", f"nobody sells {input['product']}", retryable=False)
    with _ledger() as db:
        order = (input["reference"], input["product"], input["costCentre"])
        db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?)", order)
    return {"number": f"PO-{input['reference']}"}


def cancel_order(input: dict[str, Any]) -> None:
    with _ledger() as db:
        db.execute("DELETE FROM orders WHERE reference = ?", (input["reference"],))


@contextmanager
def _ledger() -> Iterator[sqlite3.Connection]:
    """The database, inside a transaction that counts only if nothing is raised."""
    with closing(sqlite3.connect(Path(__file__).with_name("ledger.sqlite"))) as db:
        db.executescript(TABLES)
        with db:
            db.execute("BEGIN IMMEDIATE")
            yield db
