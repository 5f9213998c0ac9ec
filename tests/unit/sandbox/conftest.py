"""A bank of one system: small enough to see every rule of the sandbox by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wfrun.sandbox import Call, Fields, Sandbox

SCHEMA = """
CREATE TABLE deposits (reference TEXT NOT NULL, amount INTEGER NOT NULL, taken_back TEXT);
CREATE UNIQUE INDEX deposited ON deposits (reference) WHERE taken_back IS NULL
"""


class Visitor(NamedTuple):
    idempotency_key: str
    execution: str = "k7m2x9qd"
    step: str = "pay"
    attempt: int = 1


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("WFRUN_SANDBOX", str(tmp_path / "sandbox"))
    monkeypatch.delenv("WFRUN_FAIL", raising=False)
    sandbox = Sandbox("town", systems=["bank"], schema=SCHEMA)
    bank = sandbox.system("bank")

    @bank.action("POST /deposits")
    def deposit(input: Fields, call: Call) -> dict[str, Any]:
        call.db.execute("INSERT INTO deposits VALUES (?, ?, NULL)", (input["reference"], input["amount"]))
        if input["amount"] > 1000:
            raise ZeroDivisionError("the vault is full")
        return {"saved": input["amount"], "by": call.step}

    @bank.undoes("deposit", "POST /deposits/{reference}/withdrawal")
    def take_back(input: Fields, call: Call) -> dict[str, Any]:
        sql = "UPDATE deposits SET taken_back = ? WHERE reference = ? AND taken_back IS NULL RETURNING amount"
        row = call.one(sql, call.now, input["reference"])
        return {"returned": row[0] if row else 0}

    yield sandbox
    sandbox.store.close()


@pytest.fixture
def schema() -> str:
    return SCHEMA


@pytest.fixture
def ask(world: Sandbox) -> Callable[..., dict[str, Any]]:
    """`ask("bank.deposit", "key", reference=…, amount=…)`"""

    def ask(action: str, key: str, **fields: Any) -> dict[str, Any]:
        return world.perform(world.actions[action], fields, Visitor(key))

    return ask


@pytest.fixture
def rows(world: Sandbox) -> Callable[[str], list[tuple[Any, ...]]]:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        with world.store.open() as db:
            return db.execute(sql).fetchall()

    return rows
