"""What is wrong with files: as text, as data, and as annotations of a forge's workflow run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from wfrun.cli.invoke import problem_data, problem_text
from wfrun.cli.text import safe
from wfrun.errors import Problem

# Workflow file → what was found, which may stand in other files: services, or workflows that it runs as steps.
Found: TypeAlias = Mapping[str, Sequence[Problem]]
Refuses: TypeAlias = Callable[[Problem], bool]


def all_of(found: Found) -> list[Problem]:
    """Each once, though several workflows may share a file with it."""
    return list(dict.fromkeys(problem for problems in found.values() for problem in problems))


def lines(found: Found, refuses: Refuses) -> Iterator[str]:
    """For people: each problem, then how each workflow stands, by the files in which it is refused."""
    for problem in all_of(found):
        yield problem_text(problem)
    told: dict[str, None] = {}
    for workflow, problems in found.items():
        wrong = [problem.place.file or workflow for problem in problems if refuses(problem)]
        told |= dict.fromkeys(f"{safe(file)}: not valid" for file in wrong) or {f"{safe(workflow)}: valid": None}
    yield from told


def as_data(found: Found, refuses: Refuses) -> dict[str, Any]:
    valid = {workflow: not any(map(refuses, problems)) for workflow, problems in found.items()}
    return {
        "workflow": next(iter(found)) if len(found) == 1 else None,
        "valid": all(valid.values()),
        "workflows": [{"workflow": workflow, "valid": fine} for workflow, fine in valid.items()],
        "problems": [*map(problem_data, all_of(found))],
    }


# ---- annotations: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands


def annotation_lines(found: Found) -> Iterator[str]:
    """`::error file=…,line=…,col=…,title=…::message`, one for each problem."""
    for workflow, problems in found.items():
        for problem in dict.fromkeys(problems):
            yield _annotation(problem, problem.place.file or workflow)


def _annotation(problem: Problem, file: str) -> str:
    place = problem.place
    given = {"file": file, "line": place.line, "col": place.column, "title": problem.code}
    properties = ",".join(f"{name}={_property(value)}" for name, value in given.items() if value)
    hint = f"\nhint: {safe(problem.hint)}" if problem.hint else ""
    return f"::{problem.severity} {properties}::{_message(safe(problem.message) + hint)}"


def _message(text: str) -> str:
    return _escaped(text, {"%": "%25", "\r": "%0D", "\n": "%0A"}.items())


def _property(value: object) -> str:
    return _escaped(_message(str(value)), {":": "%3A", ",": "%2C"}.items())


def _escaped(text: str, codes: Iterable[tuple[str, str]]) -> str:
    for character, code in codes:
        text = text.replace(character, code)
    return text
