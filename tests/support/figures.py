"""Puts the figures of fault runs into docs/reliability.md.

    WFRUN_FAULTS=full WFRUN_FAULTS_JSON=faults.json pytest tests/fault tests/property
    python -m tests.support.figures faults.json

Each line of the fault plan that a run has counted replaces that line in the table of the run's size, `ci` or `full`;
lines that it has not counted stay as they are.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.support.shell import ROOT

PAGE = ROOT / "docs" / "reliability.md"
FAULTS = {
    "F1": "a runner is killed",
    "F2": "a journal is cut, or ends in something else",
    "F3": "a bit is flipped, a line moved",
    "F4": "a call to the disk fails",
    "F5": "the disk is full or read-only, no file can be opened",
    "F6": "the power fails",
    "F7": "many at the same moment (rounds)",
    "F8": "the whole system, simulated (seeds)",
    "F9": "random histories beside a model",
    "F10": "fuzzed input",
    "F11": "journals of earlier versions",
    "F12": "very large things, killed and resumed",
    "F13": "TERM, INT, HUP, PIPE, ^C twice",
    "F14": "the clock jumps",
}
HEAD = "| | fault | tried | violations | seed | command |\n|---|---|--:|--:|---|---|\n"
_ROW = re.compile(r"\| (F\d+) \|.*\n")


def between(size: str) -> re.Pattern[str]:
    """The table of a size, with the marks around it."""
    return re.compile(rf"(<!-- figures: {size} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def rendered(page: str, told: dict[str, Any]) -> str:
    """The page with the lines of one run. ValueError if it has no table for runs of that size."""
    found = between(told["size"]).search(page)
    if found is None:
        raise ValueError(f"{PAGE} has no table of figures for {told['size']!r}")
    rows = {line[1]: line[0] for line in _ROW.finditer(found[2])}
    rows |= {name: _row(name, counts, told) for name, counts in told["lines"].items()}
    table = HEAD + "".join(rows[name] for name in sorted(rows, key=lambda name: int(name[1:])))
    return page[: found.start(2)] + table + page[found.end(2) :]


def _row(name: str, counts: dict[str, int], told: dict[str, Any]) -> str:
    cells = [name, FAULTS[name], f"{counts['faults']:,}", str(counts["violations"]), str(told["seed"])]
    return f"| {' | '.join(cells)} | `{told['command']}` |\n"


def main(paths: list[str]) -> None:
    page = PAGE.read_text()
    for path in paths:
        page = rendered(page, json.loads(Path(path).read_text()))
    PAGE.write_text(page)


if __name__ == "__main__":
    main(sys.argv[1:])
