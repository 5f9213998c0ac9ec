from __future__ import annotations

from typing import Any

import pytest

from wfrun.app.forms import checked_form
from wfrun.core.human import Task, Vote
from wfrun.errors import InvalidError, Problem

FORM = {"costCentre": "string", "note": "string?", "rate": {"type": "number", "minimum": 0}, "days": {"default": 3}}


def filled_in(data: dict[str, Any], decision: str = "approved", form: dict[str, Any] | None = None) -> dict[str, Any]:
    created = {"assignee": {}, "excludeInitiator": False, "due": None, "form": FORM if form is None else form}
    return checked_form(Task.of(created), Vote(decision, "kim", "", data))


def problem(data: dict[str, Any]) -> Problem:
    with pytest.raises(InvalidError) as caught:
        filled_in(data)
    (found,) = caught.value.problems
    return found


def test_defaults_are_filled_in() -> None:
    assert filled_in({"costCentre": "A1", "rate": 2}) == {"costCentre": "A1", "rate": 2, "days": 3}


def test_a_rejection_needs_no_form_and_a_task_may_have_none() -> None:
    assert filled_in({}, "rejected") == {}
    assert filled_in({"any": 1}, form={}) == {"any": 1}


def test_what_is_missing_is_told_with_the_words_to_type() -> None:
    found = problem({"rate": 2})
    assert str(found.place) == "form.costCentre"
    assert (found.code, found.message) == ("field.missing", "the form needs `costCentre` (text)")
    assert found.hint == "--data costCentre=…"


@pytest.mark.parametrize(
    ("value", "hint"),
    [(17, "--data 'costCentre=\"17\"'"), (True, "--data 'costCentre=\"true\"'"), ({}, ""), (None, "")],
)
def test_digits_for_a_text_are_told_how_to_be_text(value: Any, hint: str) -> None:
    found = problem({"costCentre": value, "rate": 2})
    assert (found.code, found.hint) == ("field.type", hint)


def test_other_problems_stay_as_they_are() -> None:
    assert problem({"costCentre": "x", "rate": -1}).message == "`form.rate` must be 0 or more, not `-1`"
    unknown = problem({"costCentre": "x", "rate": 1, "nots": ""})
    assert (unknown.message, unknown.hint) == ("the form has no field `nots`", "did you mean `note`?")
