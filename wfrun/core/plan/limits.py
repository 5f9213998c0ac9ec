"""Numbers that cannot be reached, or are none: of people, branches, events and rounds."""

from __future__ import annotations

from collections.abc import Iterator

from wfrun.core.definition import Document, Path
from wfrun.core.gaps import Gaps
from wfrun.core.plan.nodes import Audience, Await, Crew, Foreach, HumanTask, Loop, Parallel, Plan, Step, Tolerance
from wfrun.core.plan.times import mapping_at
from wfrun.errors import Problem


def check_limits(step: Step, plan: Plan) -> Iterator[Problem]:
    """The numbers of a step that make no sense together."""
    document, gaps = plan.document, plan.gaps
    match step:
        case HumanTask():
            for audience, path in zip(step.audiences, _asked(step), strict=True):
                if not gaps.at((*path, "assignee")):
                    yield from _quorum(audience, path, document)
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


def _asked(task: HumanTask) -> Iterator[Path]:
    """Where it is written whom a task asks: first, and each time nobody decided in time."""
    yield task.path
    for level in range(len(task.audiences) - 1):
        yield (*task.path, "escalation", level)


def _quorum(audience: Audience, path: Path, document: Document) -> Iterator[Problem]:
    assignee = mapping_at(document, path).get("assignee")
    if not isinstance(assignee, dict) or assignee.keys() & {"groups", "names"} or "users" not in assignee:
        return
    users = assignee["users"] if isinstance(assignee["users"], list) else [assignee["users"]]
    if audience.quorum > len(set(users)) and not any("$" in user for user in users):
        message = f"{audience.quorum} people have to decide, and only {len(set(users))} may"
        place = document.place((*path, "assignee", "quorum"))
        yield Problem("plan.quorum", message, place, "name more users, or a group, or lower the quorum")
