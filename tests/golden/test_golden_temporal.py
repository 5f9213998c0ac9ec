"""Histories of every release on Temporal, replayed by this one (C16)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, WorkflowReplayResult
from temporalio.workflow import NondeterminismError

from wfrun.engines.temporal.codec import Claims
from wfrun.engines.temporal.workflow import Execution

HISTORIES = sorted((Path(__file__).parent / "temporal").glob("*/*.json"))


def replay(text: str) -> WorkflowReplayResult:
    replayer = Replayer(workflows=[Execution], data_converter=DataConverter(payload_codec=Claims()), debug_mode=True)
    return asyncio.run(
        replayer.replay_workflow(WorkflowHistory.from_json("golden", text), raise_on_replay_failure=False)
    )


def test_there_are_some() -> None:
    assert len(HISTORIES) >= 6


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_history_of_an_earlier_release_is_replayed(path: Path) -> None:
    assert replay(path.read_text()).replay_failure is None


def test_a_history_that_is_not_ours_is_noticed() -> None:
    """The check that cannot fail is none: here a timer was never started."""
    (path, *_) = (each for each in HISTORIES if each.stem == "waiting")
    history = json.loads(path.read_text())
    for event in history["events"]:
        attributes = event.get("activityTaskScheduledEventAttributes")
        if attributes is not None:
            attributes["activityType"]["name"] = "something-else"
    assert isinstance(replay(json.dumps(history)).replay_failure, NondeterminismError)
