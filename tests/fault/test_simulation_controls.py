"""Positive controls: wfrun with one promise broken on purpose. The simulation has to find out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.simulator import simulate
from tests.support.tally import seed
from wfrun.app import deciding
from wfrun.core.effects.calls import CallService
from wfrun.core.human import Vote
from wfrun.engines.local.driver import Driver
from wfrun.errors import ConflictError, WfrunError
from wfrun.journal.chain import Chain
from wfrun.journal.commit import Committer
from wfrun.journal.handle import Handle
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.scan import Scan, scan

SEEDS = 2_000


def no_sync_before_the_effect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Committer, "_sync_all", lambda committer, journals: None)


def acknowledged_before_the_sync(patch: pytest.MonkeyPatch) -> None:
    commit = Driver._commit

    async def early(driver: Driver) -> None:
        observer, driver._observer = driver._observer, None
        for record in driver.journal.records[driver._seen :]:
            if observer is not None:
                observer(driver.execution, record, record["seq"] > driver._history)
        await commit(driver)
        driver._observer = observer

    patch.setattr(Driver, "_commit", early)


def the_tail_cut_off(patch: pytest.MonkeyPatch) -> None:
    read, replace = Chain.read, Home.replace

    def read_and_forget(chain: Chain, raw: bytes, **more: Any) -> Scan:
        found = read(chain, raw, **more)
        chain._torn = b""
        return found

    def replace_by_less(home: Home, path: str, data: bytes, *mode: int) -> int:
        return replace(home, path, data[: scan(data).head.end] if path.endswith(".jsonl") else data, *mode)

    patch.setattr(Chain, "read", read_and_forget)
    patch.setattr(Home, "replace", replace_by_less)


def judged_outside_of_the_lock(patch: pytest.MonkeyPatch) -> None:
    def decide(home: Home, journal: Journal, workflow: Any, id: str, vote: Vote) -> tuple[str, WfrunError | None]:
        if deciding.folded(home, journal, workflow).tasks[id].closed is not None:
            raise ConflictError("task.decided", "somebody was first")
        with journal.turn():
            data = dict(vote.data)
            journal.add(
                {
                    "type": "task.decided",
                    "task": id,
                    "decision": vote.decision,
                    "by": vote.by,
                    "comment": "",
                    "data": data,
                }
            )
            journal.sync()
        return "", None

    patch.setattr(deciding, "record_decision", decide)


def a_key_with_the_attempt_in_it(patch: pytest.MonkeyPatch) -> None:
    key = CallService._key
    patch.setattr(CallService, "_key", lambda call, round: f"{key(call, round)}#{call.attempt}")


def a_failed_sync_tried_again(patch: pytest.MonkeyPatch) -> None:
    harden = Handle.harden

    def stubborn(journal: Handle) -> None:
        try:
            harden(journal)
        except OSError:
            harden(journal)

    patch.setattr(Handle, "harden", stubborn)


@pytest.mark.parametrize(
    ("broken", "kinds", "found"),
    [
        (no_sync_before_the_effect, ("power",), "no intent of attempt"),
        (acknowledged_before_the_sync, ("power",), "told to be durable"),
        (the_tail_cut_off, ("power",), "has lost bytes"),
        (judged_outside_of_the_lock, (), "was decided 2 times"),
        (a_key_with_the_attempt_in_it, (), "had its effect 2 times"),
        (a_failed_sync_tried_again, ("sync",), "told to be durable"),
    ],
)
def test_what_is_broken_is_found(
    broken: Any, kinds: tuple[str, ...], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    for number in range(seed(), seed() + SEEDS):
        if any(found in violation for violation in simulate(number, kinds).violations):
            return
    pytest.fail(f"not in {SEEDS} seeds")
