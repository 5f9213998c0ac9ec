"""What `wfrun doctor` found, in words."""

from __future__ import annotations

from typing import Any

import pytest

from wfrun.cli.render.doctor import report_lines

VERSIONS = {"wfrun": "1", "python": "3", "sqlite": "3", "system": "Linux"}


def finding(code: str, where: str) -> Any:
    return {
        "code": code,
        "severity": "warning",
        "where": where,
        "message": "something",
        "hint": f"`wfrun resume {where}`",
        "fix": None,
        "fixed": False,
    }


def told(*findings: Any) -> list[str]:
    return report_lines(
        {
            "home": ".wfrun",
            "executions": 2000,
            "versions": VERSIONS,
            "fileSystem": None,
            "freeBytes": None,
            "findings": list(findings),
        }
    )


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_that_were_interrupted_are_named_with_what_to_do(count: int) -> None:
    lines = told(*(finding("execution.interrupted", f"e{number}") for number in range(count)))
    assert len(lines) == 2 * count + 1
    assert lines[1] == "  hint: `wfrun resume e0`"


def test_many_that_were_interrupted_are_one_line_beside_what_else_there_is() -> None:
    many = [finding("execution.interrupted", f"e{number}") for number in range(1000)]
    lines = told(finding("state.stray", "a"), *many, finding("state.stray", "b"))
    assert [line.partition(":")[0] for line in lines[:4:2]] == ["a", "b"]
    assert lines[4].startswith("e0, e1, e2, …: warning[execution.interrupted] 1,000 executions")
    assert "`wfrun resume --where 'status == interrupted'`" in lines[5]
    assert lines[6].startswith("1002 to look at")
    assert len(lines) == 7
