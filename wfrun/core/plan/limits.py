"""Numbers that cannot be reached, or are none: of people, branches, events and rounds."""

from __future__ import annotations

from collections.abc import Iterator

from wfrun.core.definition import Document
from wfrun.core.gaps import Gaps
from wfrun.core.plan.nodes import Await, Crew, Foreach, HumanTask, Loop, Parallel, Plan, Step, Tolerance
from wfrun.core.plan.times import mapping_at
from wfrun.errors import Problem


def check_limits(step: Step, plan: Plan) -> Iterator[Problem]:
    """The numbers of a step that make no sense together."""
    document, gaps = plan.document, plan.gaps
    match step:
        case HumanTask() if not gaps.at((*step.path, "assignee")):
            yield from _quorum(step, document)
        case Parallel(crew=crew, branches=branches) if not (gaps and _has_gaps(step, gaps)):
            yield from _complete(step, crew.complete, len(branches), "branches", document)
            yield from _tolerate(step, crew, document)
        case Foreach(crew=crew) if not (gaps and _has_gaps(step, gaps)):
            yield from _tolerate(step, crew, document)
        case Await(complete=complete, listeners=listeners) if not gaps.at((*step.path, "event")):
            yield from _complete(step, complete, len(listeners), "events", document)
        case Loop(most=most) if most < 1 and not gaps.at((*step.path, "maxIterations")):
            message = f"a loop of at most {most} rounds never runs"
            place = document.place((*step.path, "maxIterations"))
            yield Problem("plan.max-iterations", message, place, "write how many rounds are too many")


def _has_gaps(step: Step, gaps: Gaps) -> bool:
    """Whether it is not known how many branches there are, or how many of them count."""
    return any((*step.path, key) in gaps.paths for key in ("steps", "complete", "tolerate"))


def _complete(step: Step, complete: int | None, of: int, what: str, document: Document) -> Iterator[Problem]:
    if complete is None or 1 <= complete <= of:
        return
    message = f"{complete} of {of} {what} cannot be complete"
    yield Problem("plan.complete", message, document.place((*step.path, "complete")), f"write all, any, or 1 to {of}")


def _tolerate(step: Step, crew: Crew, document: Document) -> Iterator[Problem]:
    if crew.complete is not None and crew.tolerate != Tolerance():
        message = "with `complete`, any that are not needed may fail: there is nothing to tolerate"
        place = document.place((*step.path, "tolerate"))
        yield Problem("plan.tolerate", message, place, "keep one of `complete` and `tolerate`")


def _quorum(task: HumanTask, document: Document) -> Iterator[Problem]:
    assignee = mapping_at(document, task.path).get("assignee")
    if not isinstance(assignee, dict) or assignee.keys() & {"groups", "names"} or "users" not in assignee:
        return
    users = assignee["users"] if isinstance(assignee["users"], list) else [assignee["users"]]
    if task.quorum > len(set(users)) and not any("$" in user for user in users):
        message = f"{task.quorum} people have to decide, and only {len(set(users))} may"
        place = document.place((*task.path, "assignee", "quorum"))
        yield Problem("plan.quorum", message, place, "name more users, or a group, or lower the quorum")
