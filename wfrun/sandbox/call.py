"""What a service function is given: its input and the call it serves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from wfrun.errors import ServiceError


class Fields(dict[str, Any]):
    """A JSON object. A key that is not there is the caller's mistake, and is told to the caller as one."""

    def __missing__(self, key: str) -> Any:
        raise invalid(f"the input lacks {key!r}")

    def object(self, key: str) -> Fields:
        if not isinstance(value := self[key], dict):
            raise invalid(f"{key!r} is not an object")
        return Fields(value)

    def objects(self, key: str) -> list[Fields]:
        value = self[key]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise invalid(f"{key!r} is not a list of objects")
        return [Fields(item) for item in value]


def invalid(message: str) -> ServiceError:
    return ServiceError("request.invalid", message, status=400, retryable=False)


class Caller(Protocol):
    """Who calls: every adapter's call has these."""

    @property
    def execution(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def idempotency_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `db` is inside a transaction that is committed together with the answer, or not at all."""

    execution: str
    step: str
    attempt: int
    idempotency_key: str
    db: sqlite3.Connection
    now: str

    def one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of a query or of a `RETURNING`; None when there is none."""
        row: tuple[Any, ...] | None = self.db.execute(sql, values).fetchone()
        return row


Function: TypeAlias = Callable[[Fields, Call], dict[str, Any]]
Face: TypeAlias = Callable[[Any, Caller], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a system does. `undoes` names the action that this one takes back."""

    system: str
    name: str
    method: str
    path: str
    function: Function
    undoes: str | None = None

    def __str__(self) -> str:
        return f"{self.system}.{self.name}"
