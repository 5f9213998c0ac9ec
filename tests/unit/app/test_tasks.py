"""Which task a typed word means."""

from __future__ import annotations

from typing import Any

import pytest

from wfrun.app.executions import find_execution
from wfrun.app.tasks import MOST_EXECUTIONS, find_task
from wfrun.errors import AmbiguousError, ConflictError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles


def execution(home: Home, id: str, *tasks: str, decided: bool = False) -> None:
    first: Any = {
        "type": "execution.started",
        "format": 1,
        "execution": id,
        "workflow": "w",
        "version": 1,
        "definition": "d" * 64,
        "input": {},
        "seed": "",
        "initiator": "ann",
        "steps": list(tasks),
        "origin": {},
    }
    journal = Journal.create(home, id, first)
    with journal.turn():
        for step in tasks:
            journal.add(created(id, step))
            if decided:
                journal.add(
                    {
                        "type": "task.decided",
                        "task": f"{id}/{step}",
                        "decision": "approved",
                        "by": "bob",
                        "comment": "",
                        "data": {},
                    }
                )
        journal.sync()
    journal.close()


def created(id: str, step: str) -> Any:
    return {
        "type": "task.created",
        "task": f"{id}/{step}",
        "step": step,
        "title": step,
        "description": "",
        "assignee": {"names": ["bob"]},
        "form": {},
        "decisions": ["approved", "rejected"],
        "quorum": 1,
        "excludeInitiator": False,
        "data": None,
        "due": None,
    }


@pytest.fixture
def home() -> Home:
    return Home("/home/state", MemoryFiles())


def test_a_complete_execution_id_means_that_execution_and_no_other(home: Home) -> None:
    execution(home, "n-1", "t", decided=True)
    execution(home, "n-10", "t")
    assert find_task(home, "n-1") == ("n-1", "n-1/t")
    assert find_task(home, "n-1/t") == ("n-1", "n-1/t")
    assert find_task(home, "n-10") == ("n-10", "n-10/t")


def test_a_beginning_that_fits_one_open_task(home: Home) -> None:
    execution(home, "k7m2", "ask", decided=True)
    execution(home, "k8x1", "ask")
    assert find_task(home, "k") == ("k8x1", "k8x1/ask")
    assert find_task(home, "k7") == ("k7m2", "k7m2/ask")


def test_of_several_that_are_closed_none_is_meant(home: Home) -> None:
    execution(home, "c1", "expert", "release", decided=True)
    with pytest.raises(ConflictError, match="is open: c1/expert, c1/release") as refused:
        find_task(home, "c1")
    assert refused.value.code == "task.closed"
    assert find_task(home, "c1/exp") == ("c1", "c1/expert")


def test_a_beginning_of_the_step_tells_two_tasks_of_one_execution_apart(home: Home) -> None:
    execution(home, "k7m2", "manager", "lawyer")
    assert find_task(home, "k7m2/m") == ("k7m2", "k7m2/manager")
    with pytest.raises(AmbiguousError, match="k7m2/lawyer, k7m2/manager"):
        find_task(home, "k7m2")


def test_nothing_is_decided_by_a_beginning_that_fits_too_many(home: Home) -> None:
    for number in range(MOST_EXECUTIONS):
        execution(home, f"o-{number:03}")
    execution(home, "o-500", "t")
    with pytest.raises(AmbiguousError, match="more than"):
        find_task(home, "o")


@pytest.mark.parametrize("prefix", ["x", "k7m2/other", "k7m2x/ask", ""])
def test_what_is_not_there(home: Home, prefix: str) -> None:
    execution(home, "k7m2")
    with pytest.raises(NotFoundError):
        find_task(home, prefix)


def test_a_task_that_was_asked_again_after_a_repair_is_one() -> None:
    home = Home("/home", MemoryFiles())
    execution(home, "e1", "ask", "ask", decided=True)
    assert find_task(home, "e1/ask") == ("e1", "e1/ask")


def test_a_child_in_a_loop_is_found_by_its_step() -> None:
    home = Home("/s", MemoryFiles())
    for id in ("p3", "p3.child..0", "p3.child..0..r2", "p3.child..10"):
        execution(home, id, "okay")
    assert find_execution(home, "p3.child@0") == "p3.child..0"
    assert find_execution(home, "p3.child@0~2") == "p3.child..0..r2"
    assert find_execution(home, "p3.child@1") == "p3.child..10"
    assert find_task(home, "p3.child@10/ok") == ("p3.child..10", "p3.child..10/okay")
    with pytest.raises(NotFoundError, match="begins with"):
        find_execution(home, "p3.child@7")
