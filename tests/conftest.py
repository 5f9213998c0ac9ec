"""One seed for all chance of a session, and what was counted of the fault plan: see tests.support.tally."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.tally import Tally, seed, sums, write

# Before workers are begun, so that they have the same.
os.environ.setdefault("WFRUN_SEED", str(random.randrange(2**32)))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    return Tally(request.node.user_properties)


def pytest_report_header() -> str:
    return f"WFRUN_SEED={seed()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    found = sums([*stats.get("passed", ()), *stats.get("failed", ())])
    for each in found:
        terminalreporter.write_line(f"{each}, seed {seed()}")
    if found and (path := os.environ.get("WFRUN_FAULTS_JSON")):
        write(path, found)
