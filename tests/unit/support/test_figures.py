"""The figures of a fault run get into the page: its own lines, and no others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.figures import FAULTS, PAGE, between, rendered

TOLD: dict[str, Any] = {"seed": 7, "size": "full", "command": "pytest tests/fault"}
EMPTY = "before\n<!-- figures: full -->\n<!-- end -->\nafter\n"


def told(**lines: tuple[int, int]) -> dict[str, Any]:
    counts = {name: {"faults": faults, "violations": wrong} for name, (faults, wrong) in lines.items()}
    return {**TOLD, "lines": counts}


def test_each_run_replaces_its_own_lines() -> None:
    page = rendered(rendered(EMPTY, told(F1=(10, 0), F13=(1, 0))), told(F2=(2_000, 0), F1=(20, 1)))
    rows = [line for line in page.splitlines() if line.startswith("| F")]
    assert rows == [
        f"| F1 | {FAULTS['F1']} | 20 | 1 | 7 | `pytest tests/fault` |",
        f"| F2 | {FAULTS['F2']} | 2,000 | 0 | 7 | `pytest tests/fault` |",
        f"| F13 | {FAULTS['F13']} | 1 | 0 | 7 | `pytest tests/fault` |",
    ]
    assert page.startswith("before\n")
    assert page.endswith("<!-- end -->\nafter\n")


def test_a_size_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="'ci'"):
        rendered(EMPTY, {**TOLD, "size": "ci", "lines": {}})


@pytest.mark.parametrize("size", ["ci", "full"])
def test_the_page_claims_no_run_with_a_violation(size: str) -> None:
    found = between(size).search(PAGE.read_text())
    assert found is not None
    for row in re.findall(r"^\| F.*$", found[2], re.MULTILINE):
        assert row.split(" | ")[3] == "0", row
