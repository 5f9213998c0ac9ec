"""An order to compute with, and a host whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from wfrun.core.expression import DictContext, parse
from wfrun.core.values import Json
from wfrun.errors import ExpressionError

Evaluate: TypeAlias = Callable[..., Any]
Failure: TypeAlias = Callable[..., ExpressionError]

DATA: dict[str, Json] = {
    "order": {
        "id": "A-7",
        "total": 100,
        "weight": 100.5,
        "paid": True,
        "note": None,
        "customer": {"name": "Zoë", "tags": ["vip", "eu"]},
        "odd key": 1,
    },
    "items": [
        {"sku": "pen", "qty": 2, "price": 1.1},
        {"sku": "cup", "qty": 0, "price": 7},
        {"sku": "map", "qty": 5, "price": 12.25},
    ],
    "rates": {"de": 0.19, "fr": 0.2},
    "country": "de",
    "empty": [],
    "none": None,
    "numbers": [3, 1.5, 2],
    "started": "2030-01-01T00:00:00Z",
}


class FixedHost:
    """Always the same instant and id; variables answer with their own names."""

    def now(self) -> datetime:
        return datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def uuid(self) -> str:
        return "0f8fad5b-d9cb-469f-a165-70867728950e"

    def variable(self, kind: str, name: str) -> str:
        if name == "ABSENT":
            raise ExpressionError("expression.undefined", f"{kind}.{name} is not set")
        return f"{kind} {name}"


@pytest.fixture(scope="session")
def host() -> FixedHost:
    return FixedHost()


@pytest.fixture(scope="session")
def evaluate(host: FixedHost) -> Evaluate:
    """`evaluate(text, data)`: the value of an expression."""

    def run(text: str, data: dict[str, Json] | None = None, *, variables: bool = False) -> Json:
        return parse(text, variables=variables).evaluate(DictContext(DATA if data is None else data), host)

    return run


@pytest.fixture(scope="session")
def failure(evaluate: Evaluate) -> Failure:
    """`failure(text, data)`: the error of an expression that has no value or is none."""

    def run(text: str, data: dict[str, Json] | None = None, *, variables: bool = False) -> ExpressionError:
        with pytest.raises(ExpressionError) as caught:
            evaluate(text, data, variables=variables)
        return caught.value

    return run
