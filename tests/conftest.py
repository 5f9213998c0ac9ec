"""One seed for all chance of a session, and what was counted of the fault plan: see tests.support.tally."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import canary
from tests.support.tally import Tally, seed, sums, write

canary.install()
# How long an example takes, or its making, says how busy the machine is, and nothing about what is tested.
settings.register_profile("wfrun", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wfrun")
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
        write(path, found, terminalreporter.config.invocation_params.args)


@pytest.fixture(scope="session", autouse=True)
def _the_canary_is_nowhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that a session has left behind may have the secret that its services used: see tests.support.canary."""
    yield
    found = canary.leaks(tmp_path_factory.getbasetemp())
    assert not found, "\n".join(found)
