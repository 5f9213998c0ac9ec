"""Conditions over the summaries of executions, as they are typed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.shell import ROOT
from wfrun.errors import UsageError
from wfrun.views.filtering import FIELDS, Filter, parse_filter

NOW = datetime(2026, 1, 3, tzinfo=UTC)
ROW: Any = {
    "execution": "k7m2x9qd",
    "workflow": "loan-application",
    "version": 2,
    "status": "needs-attention",
    "startedAt": "2026-01-01T00:00:00.000000Z",
    "endedAt": None,
    "progress": {"done": 1, "skipped": 0, "failed": 0, "total": 3},
    "error": "payment.declined",
    "waitingFor": ["bob"],
    "events": [],
    "unknown": [],
    "until": None,
    "children": [],
    "listens": [],
    "parent": None,
    "initiator": "ada",
}


def where(text: str) -> Filter:
    return parse_filter(text, NOW)


def test_the_conditions_of_the_manual_judge_any_execution() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text().partition("### Conditions")[2]
    examples = manual.partition("```text\n")[2].partition("```")[0].splitlines()
    assert len(examples) > 3
    for example in examples:
        assert where(example).keeps(ROW | {"error": None}) in (True, False)


def test_every_field_of_a_summary_can_be_asked_for() -> None:
    assert set(FIELDS) == set(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "status == needs-attention",
        'status=="needs-attention" and workflow == loan-application',
        "$.status == needs-attention",
        "error == payment.declined",
        "matches(error, 'pay.*')",
        "startsWith(workflow, loan)",
        "progress.done < progress.total",
        "bob in waitingFor",
        "workflow in [order, loan-application] and not (status == failed)",
        "status == failed or initiator == ada",
        "parent == null and version == 2",
        "instant(startedAt) <= now() - duration('2d')",
        "execution == k7m2x9qd",
    ],
)
def test_words_that_are_no_fields_are_text(text: str) -> None:
    assert where(text).keeps(ROW)
    assert not where(f"not ({text})").keeps(ROW)


@pytest.mark.parametrize(
    ("text", "status", "workflow"),
    [
        ("status == failed", "failed", None),
        ("failed == status and order == workflow", "failed", "order"),
        ("(status == failed and error != null) && workflow == order", "failed", "order"),
        ("status == failed and (workflow == order or workflow == loan)", "failed", None),
        ("status == failed or workflow == order", None, None),
        ("not (status == failed)", None, None),
        ("status != failed and workflow == order", None, "order"),
        ("error == status ? true : false", None, None),
    ],
)
def test_what_an_index_can_be_asked_for(text: str, status: str | None, workflow: str | None) -> None:
    found = where(text)
    assert (found.status, found.workflow) == (status, workflow)


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("statu == failed", 1, "'statu' is no field", "did you mean status?"),
        ("version > 1 and  statu == failed", 18, "'statu' is no field", "did you mean status?"),
        ("status = failed", 8, "unexpected '='", "write == to compare"),
        ("status == failed and", 21, "the expression ends too early", ""),
        ("status is failed", 8, "unexpected 'is'", "write =="),
        ("zzz(error) == 1", 1, "there is no function zzz()", ""),
        ("status == faild", 11, "'faild' is no status", "did you mean failed?"),
        ("version > 1 and 'faild' == status", 18, "'faild' is no status", "did you mean failed?"),
        ("env.HOME == status", 1, "env.… cannot be used here", "only the settings of services see it"),
    ],
)
def test_what_is_wrong_is_told_with_its_column(text: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        where(text)
    assert (error.value.place.column, error.value.message, error.value.hint) == (column, message, hint)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("text", ["1 == 1", "failed", "'a' in ['a']"])
def test_it_has_to_be_about_executions(text: str) -> None:
    with pytest.raises(UsageError, match="says nothing about executions") as error:
        where(text)
    assert str(error.value.place) == "--where:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("status", "a condition must be true or false, not a string"),
        ("endedAt < '2027'", "null and a string have no order"),
        ("size(uuid()) > 0 and status == failed", "chance chooses no executions"),
    ],
)
def test_what_has_no_value_for_an_execution(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        where(text).keeps(ROW)
    assert error.value.place.file == "--where"


def test_what_is_not_known_can_be_asked_for_first() -> None:
    with pytest.raises(UsageError) as error:
        where("endedAt < '2027'").keeps(ROW)
    assert "endedAt != null" in error.value.hint
    assert not where("endedAt != null and endedAt < '2027'").keeps(ROW)
