"""The form of a task, filled in by a decision: what is wrong with it is told with the words to type instead."""

from __future__ import annotations

import json
from collections.abc import Mapping

from wfrun.core.human import REJECTED, Task, Vote
from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem

FORM = "form"


def checked_form(task: Task, vote: Vote) -> dict[str, Json]:
    """The data of a vote with defaults filled in. A rejection needs no form; everything else must fill it in.

    Raises InvalidError with every problem.
    """
    form = task.created["form"]
    if vote.decision == REJECTED or not form:
        return vote.data
    from wfrun.load.fields import check_fields

    try:
        return check_fields(form, vote.data, file="", what=FORM)
    except InvalidError as invalid:
        raise InvalidError([_with_hint(problem, form, vote.data) for problem in invalid.problems]) from None


def _with_hint(problem: Problem, form: Mapping[str, Json], data: Mapping[str, Json]) -> Problem:
    from wfrun.load.field_types import read_field

    name = problem.place.path.removeprefix(f"{FORM}.")
    if problem.code == "field.missing":
        return problem._replace(hint=f"--data {name}=…")
    if problem.code == "field.type" and read_field(form[name]).type == "string" and _is_scalar(data[name]):
        # Whatever reads as JSON on a command line is JSON: digits are text only in quotes.
        return problem._replace(hint=f"--data '{name}=\"{json.dumps(data[name])}\"'")
    return problem


def _is_scalar(value: Json) -> bool:
    return isinstance(value, (int, float))
