"""How many faults of each line of the fault plan were tried, by which seed, and how many tests found a violation.

A test asks for `tally` and says what it did: `tally.add("F3", 8)`. The end of a session tells the sums, and writes them
to the file that WFRUN_FAULTS_JSON names.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

FULL = os.environ.get("WFRUN_FAULTS") == "full"

# Under this name a test's report carries its counts, from a worker of xdist, too.
PROPERTY = "faults"


def size(ci: int, full: int) -> int:
    """How many faults to try: on every run, or when all of them were asked for."""
    return full if FULL else ci


def seed() -> int:
    """Where all chance of this session comes from: given as WFRUN_SEED, or drawn and told."""
    return int(os.environ["WFRUN_SEED"])


class Tally:
    """The counts of one test."""

    def __init__(self, properties: list[tuple[str, Any]]) -> None:
        self._counts: dict[str, int] = {}
        properties.append((PROPERTY, self._counts))

    def add(self, line: str, faults: int = 1) -> None:
        self._counts[line] = self._counts.get(line, 0) + faults


class Sum(NamedTuple):
    line: str
    faults: int
    violations: int

    def __str__(self) -> str:
        return f"{self.line}: {self.faults:,} faults, {self.violations} violations"


def sums(reports: Iterable[Any]) -> list[Sum]:
    """Of the tests that have ended; one that failed is a violation of every line that it had counted for."""
    faults: Counter[str] = Counter()
    violations: Counter[str] = Counter()
    for report in reports:
        for name, counts in report.user_properties:
            if name == PROPERTY and report.when == "call":
                faults.update(counts)
                violations.update(counts.keys() if report.failed else ())
    return [Sum(line, faults[line], violations[line]) for line in sorted(faults, key=lambda line: int(line[1:]))]


def write(path: str, found: list[Sum], arguments: Iterable[str]) -> None:
    """`arguments` are those that pytest was given."""
    lines = {each.line: {"faults": each.faults, "violations": each.violations} for each in found}
    command = " ".join(["pytest", *arguments])
    told = {"seed": seed(), "size": "full" if FULL else "ci", "command": command, "lines": lines}
    Path(path).write_text(json.dumps(told, indent=2) + "\n")
