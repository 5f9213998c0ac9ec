"""What the systems of the order have done, from their own tables: the judge of every test that kills somebody."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from tests.support.shell import ROOT

ORDER = ROOT / "workflows" / "order"
EFFECTS = ("reservations", "charges", "shipments", "purchases", "outbox")


def each_effect_once(path: Path, orders: Iterable[str]) -> None:
    wanted = dict.fromkeys(orders, 1)
    with closing(sqlite3.connect(path)) as db:
        for table in EFFECTS:
            rows = Counter(reference for (reference,) in db.execute(f"SELECT reference FROM {table}"))
            assert rows == wanted, table
        answered = db.execute("SELECT count(*), count(DISTINCT key) FROM calls WHERE outcome = 'done'").fetchone()
        assert answered[0] == answered[1]
