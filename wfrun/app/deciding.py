"""What people decide: judged and recorded under one lock, so that the first durable one wins (C12)."""

from __future__ import annotations

from collections.abc import Container
from typing import Literal

from wfrun.app.forms import checked_form
from wfrun.app.in_force import begin_run
from wfrun.app.standing import has_ended
from wfrun.app.workflows import Workflow
from wfrun.core.effects import EscalateTask
from wfrun.core.human import Task, Vote, find_repeat, judge
from wfrun.core.run import Run
from wfrun.engines.local.intents import make_intent
from wfrun.errors import ConflictError, InvalidError, WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.tasks import assignee_names


def folded(home: Home, journal: Journal, workflow: Workflow) -> Run:
    run = begin_run(home, journal.records, workflow)
    for record in journal.records:
        run.apply(record)
    return run


def record_decision(
    home: Home, journal: Journal, workflow: Workflow, id: str, vote: Vote
) -> tuple[str, WfrunError | None]:
    """Fold, judge, append and sync under one lock. What became of the vote, in words.

    A vote that is refused raises ConflictError, UsageError or InvalidError. If the task was found to have expired, and
    that is durable by then, the refusal is returned instead: the execution has to be driven on before it is told.
    """
    with journal.turn():
        run = folded(home, journal, workflow)
        before = set(assignee_names(run.tasks[id].assignee))
        moved = _let_expire(journal, run, id)
        refused: WfrunError | None = None
        note = ""
        try:
            if moved == "others" and run.tasks[id].closed is None:
                _refuse_late(run.tasks[id], before, vote)
            note = _decide(journal, run, id, vote)
        except WfrunError as error:
            if not moved:
                raise
            refused = error
        journal.sync()
    return note, refused


def _refuse_late(task: Task, before: Container[str], vote: Vote) -> None:
    """A word about a task that went on to others a moment ago was meant for how it stood before, unless it is said by
    somebody who was named only then: running out of time must not be what approves."""
    now = assignee_names(task.assignee)
    if vote.by in now and vote.by not in before:
        return
    id = task.created["task"]
    message = f"its time was over, and {id} has just been escalated: it is for {' or '.join(now)} now, and asks anew"
    raise ConflictError("task.late", message, hint="whoever is asked now says it once more; `wfrun tasks` shows it")


def record_cancellation(journal: Journal, by: str, reason: str) -> None:
    """Ask an execution to stop and be compensated. Raises ConflictError if it has ended."""
    with journal.turn():
        if (status := has_ended(journal.records)) is not None:
            raise ConflictError("execution.ended", f"execution {journal.execution_id} has ended: {status}")
        journal.add({"type": "cancel.requested", "by": by, "reason": reason})
        journal.sync()


def _let_expire(journal: Journal, run: Run, id: str) -> Literal["", "expired", "others"]:
    """If the task is overdue it expires now, even if nothing was running, and goes to whom it escalates to.

    Says whether it is for `others` now; for the last of them it stays open, and what they have said goes on counting.
    """
    moved: Literal["", "expired", "others"] = ""
    if run.tasks[id].is_expired(journal.clock()):
        run.apply(journal.add({"type": "task.expired", "task": id}))
        moved = "expired"
    for effect in list(run.pending.values()):
        if isinstance(effect, EscalateTask) and effect.task == id:
            intent = make_intent(effect, run.epoch, journal.clock)
            assert intent.event is not None
            run.apply(journal.add(intent.event))
            moved = "expired" if effect.stays else "others"
    return moved


def _decide(journal: Journal, run: Run, id: str, vote: Vote) -> str:
    task = run.tasks[id]
    repeat = find_repeat(task, _filled_in(task, vote))
    if repeat is not None:
        return f"{id} was already {repeat['decision']} by {repeat['by']} at {repeat['at']}"
    assert run.started is not None
    judge(task, vote, run.started["initiator"])
    journal.add(
        {
            "type": "task.decided",
            "task": id,
            "decision": vote.decision,
            "by": vote.by,
            "comment": vote.comment,
            "data": checked_form(task, vote),
        }
    )
    return f"{id}: {vote.decision} by {vote.by}"


def _filled_in(task: Task, vote: Vote) -> Vote:
    """The vote as it would be recorded, for comparing it with those that are."""
    try:
        return Vote(vote.decision, vote.by, vote.comment, checked_form(task, vote))
    except InvalidError:
        return vote
