"""What is accepted means what RFC 9535 says: against the compliance suite, and against another implementation.

The suite (jsonpath-standard/jsonpath-compliance-test-suite) is not part of this project. It is looked for at
WFRUN_JSONPATH_CTS, then beside the repository. Without it the library alone is the oracle.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import jsonpath_rfc9535
import pytest

from wfrun.core.expression.kinds import MISSING, Budget, Missing
from wfrun.core.expression.path import lookup
from wfrun.core.expression.query import Finder
from wfrun.core.expression.reader import parse_path
from wfrun.core.values import canonical
from wfrun.errors import ExpressionError

BESIDE = Path(__file__).parents[3] / "shared" / "suites" / "jsonpath-cts.json"
SUITE = Path(os.environ.get("WFRUN_JSONPATH_CTS", BESIDE))
EACH_SEED = 5_000 if os.environ.get("WFRUN_FAULTS") == "full" else 300

# Reasons for which a valid path may be refused, as they are published in docs/expressions.md.
REFUSALS = (
    "the JSONPath function",
    "several selectors in one bracket inside a filter",
    "'..' inside a filter",
    "a '$' path inside a filter must be of names and indexes only",
    "the whole '$' cannot be compared",
    "this compares two constants",
)


class Document:
    """Any JSON value as the root, as the suites have it."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self, name: str) -> Any | Missing:
        return self._value.get(name, MISSING) if isinstance(self._value, dict) else MISSING

    def whole(self) -> Any:
        return self._value

    def names(self) -> list[str]:
        return []


def select(text: str, document: Any) -> list[Any]:
    path = parse_path(text)
    if path.definite:
        value = lookup(Document(document), path.keys)
        return [] if value is MISSING else [value]
    return Finder(path).find(Document(document), Budget().charge)


def suite() -> list[dict[str, Any]]:
    if not SUITE.exists():
        return []
    tests: list[dict[str, Any]] = json.loads(SUITE.read_text(encoding="utf-8"))["tests"]
    return tests


def outcome(text: str, document: Any) -> list[Any] | ExpressionError:
    try:
        return select(text, document)
    except ExpressionError as error:
        return error


@pytest.mark.skipif(not SUITE.exists(), reason="the compliance suite is not here: set WFRUN_JSONPATH_CTS")
def test_the_compliance_suite() -> None:
    accepted, refused = 0, 0
    for case in suite():
        told = (case["name"], case["selector"])
        found = outcome(case["selector"], case.get("document"))
        if case.get("invalid_selector"):
            assert isinstance(found, ExpressionError), told
        elif isinstance(found, ExpressionError):
            assert found.message.startswith(REFUSALS), (told, found)
            refused += 1
        else:
            assert canonical(found) in map(canonical, case.get("results", [case.get("result")])), told
            accepted += 1
    assert accepted >= 370
    assert refused <= 86


# Random paths and documents

NAMES = ["a", "b", "c", "é", "odd key", "*", "", "'", "\\", "\n", "null", "true", "0", "a.b", "$"]


def value(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.3:
        return rng.choice([0, 1, 2, -1, 1.0, 1.5, True, False, None, "a", "b", "", "1", "é"])
    if rng.random() < 0.5:
        return [value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    return {rng.choice(NAMES[: rng.choice([3, 15])]): value(rng, depth - 1) for _ in range(rng.randint(0, 4))}


def quoted(rng: random.Random, text: str) -> str:
    if rng.random() < 0.5:
        return json.dumps(text, ensure_ascii=rng.random() < 0.5)
    body = json.dumps(text, ensure_ascii=rng.random() < 0.5)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{body}'"


def space(rng: random.Random) -> str:
    return rng.choice(["", "", "", " ", "\n\t"])


def selector(rng: random.Random, *, filters: int, inner: bool) -> str:
    shape = rng.choice(["name", "name", "index", "slice", "wild", "filter" if filters else "name"])
    if shape == "name":
        return quoted(rng, rng.choice(NAMES))
    if shape == "index":
        return str(rng.randint(-3, 3))
    if shape == "wild":
        return "*"
    if shape == "filter":
        return "?" + space(rng) + logical(rng, filters, inner)
    parts = [rng.choice(["", str(rng.randint(-4, 4))]) for _ in range(rng.randint(2, 3))]
    return f"{space(rng)}:{space(rng)}".join(parts)


def segment(rng: random.Random, *, filters: int, many: bool) -> str:
    """One segment of a path, of one inside a filter if not `many`."""
    shape = rng.random()
    dots = ".." if many and rng.random() < 0.2 else ""
    if shape < 0.4:
        return (dots or ".") + rng.choice(["a", "b", "c", "é", "*", "null"])
    count = rng.randint(1, 3) if many and rng.random() < 0.3 else 1
    inner = f"{space(rng)},{space(rng)}".join(selector(rng, filters=filters, inner=not many) for _ in range(count))
    return f"{dots}[{space(rng)}{inner}{space(rng)}]"


def singular(rng: random.Random) -> str:
    keys = [
        rng.choice([".a", ".b", "[0]", "[-1]", f"[{quoted(rng, rng.choice(NAMES))}]"]) for _ in range(rng.randint(0, 2))
    ]
    return "".join(keys)


def comparable(rng: random.Random, inner: bool) -> str:
    if rng.random() < 0.6:
        return "@" + singular(rng)
    # In a filter that is inside a filter, `$` is something else to the other implementation than the root.
    if rng.random() < 0.3 and not inner:
        return "$.a" + singular(rng)
    return rng.choice(["0", "1", "1.0", "1.5", "-1", "1e0", "true", "false", "null", "'a'", '"b"', "''"])


def logical(rng: random.Random, depth: int, inner: bool) -> str:
    shape = rng.choice(["test", "compare", "compare", "and", "or", "not", "group"])
    if depth == 0 or shape in ("test", "compare"):
        if shape == "test":
            return "@" + "".join(segment(rng, filters=depth, many=False) for _ in range(rng.randint(1, 2)))
        sign = rng.choice(["==", "!=", "<", "<=", ">", ">="])
        sides = [f"@{singular(rng)}", comparable(rng, inner)]
        rng.shuffle(sides)
        return f"{sides[0]}{space(rng)}{sign}{space(rng)}{sides[1]}"
    if shape == "not":
        return f"!{space(rng)}({logical(rng, depth - 1, inner)})"
    if shape == "group":
        return f"({space(rng)}{logical(rng, depth - 1, inner)})"
    sign = "&&" if shape == "and" else "||"
    return f"{logical(rng, depth - 1, inner)}{space(rng)}{sign}{space(rng)}{logical(rng, depth - 1, inner)}"


@pytest.mark.parametrize("seed", range(10))
def test_agreement_with_another_implementation(seed: int) -> None:
    rng = random.Random(seed)
    found_something = 0
    for _ in range(EACH_SEED):
        document = value(rng, 4)
        text = "$" + "".join(space(rng) + segment(rng, filters=2, many=True) for _ in range(rng.randint(1, 3)))
        expected = [node.value for node in jsonpath_rfc9535.find(text, document)]
        assert canonical(select(text, document)) == canonical(expected), (seed, text, document)
        found_something += bool(expected)
    assert found_something > EACH_SEED / 20


@pytest.mark.parametrize("seed", range(5))
def test_what_the_other_refuses_is_refused(seed: int) -> None:
    """Broken paths: nothing is accepted that RFC 9535 does not have."""
    rng = random.Random(seed)
    for _ in range(EACH_SEED):
        text = "$" + "".join(segment(rng, filters=2, many=True) for _ in range(rng.randint(1, 3)))
        at = rng.randint(0, len(text) - 1)
        text = text[:at] + rng.choice(["", *"$@.[]()?!&|=<>'\"*:,-0 \\x"]) + text[at + rng.randint(0, 1) :]
        found = outcome(text, {})
        if isinstance(found, ExpressionError):
            assert 1 <= found.column <= len(text) + 1, (seed, text)
        else:
            jsonpath_rfc9535.compile(text)


def test_the_root_is_the_root_wherever_it_is_asked_for() -> None:
    """RFC 9535, 2.3.5.1: `$` is the query argument. The other implementation loses it in a filter inside a filter."""
    document = {"limit": 1, "rows": [{"limit": 2, "cells": [1]}, {"limit": 1, "cells": [2]}]}
    assert select("$.rows[?@.cells[?@ == $.limit]]", document) == [document["rows"][0]]  # type: ignore[index]
