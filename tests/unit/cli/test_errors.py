"""What is told of an error below the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.cli.render.errors import DETAIL_LINES, ROW_CHARACTERS, error_lines
from wfrun.cli.render.status import status_lines

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Tale

MakeTale = Callable[..., "Tale"]


def failed(tale: MakeTale, details: Any = None, message: str = "no", type: str = "shop.closed") -> list[str]:
    error = {"type": type, "message": message, "step": "pay", **({} if details is None else {"details": details})}
    told = tale("pay").begin("pay").add("step.failed", step="pay", attempt=1, error=error, random=0.1)
    return error_lines(told.add("execution.ended", status="failed", error=error).view())


@pytest.mark.parametrize("details", [None, {}, {"stderr": "", "body": None, "more": {}}])
def test_without_details_an_error_is_one_line(tale: MakeTale, details: Any) -> None:
    assert failed(tale, details) == ["Error  shop.closed: no (in pay)"]


def test_details_stand_below_by_name(tale: MakeTale) -> None:
    assert failed(tale, {"body": {"z": 1, "a": 2}, "at": "services/pay.py:12"})[1:] == [
        "  at    services/pay.py:12",
        '  body  {"a": 2, "z": 1}',
    ]
    assert failed(tale, "out of paper")[1:] == ["  details  out of paper"]


def test_of_the_output_of_a_program_the_end_is_shown_of_others_the_beginning(tale: MakeTale) -> None:
    text = "\n".join(f"line {number}" for number in range(50))
    assert failed(tale, {"stderr": text})[-1].split() == ["line", "49"]
    assert failed(tale, {"body": text})[1].split() == ["body", "line", "0"]


def test_details_are_capped(tale: MakeTale) -> None:
    lines = failed(tale, {f"key{number:02}": "x" * 5000 for number in range(40)})
    assert len(lines) == 1 + DETAIL_LINES
    assert max(map(len, lines)) < 250
    assert lines[-1] == "  …"


def test_details_cannot_command_the_terminal(tale: MakeTale) -> None:
    lines = failed(tale, {"\x1b[2Jkey": "\x1b]0;title\x07 \u202e"})
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(lines))


def test_of_a_decision_the_message_says_it_all(tale: MakeTale) -> None:
    assert len(failed(tale, {"by": "kim"}, type="task.rejected")) == 1


def test_a_long_message_is_cut_in_its_row_and_whole_below(tale: MakeTale) -> None:
    message = "long " * 60
    error = {"type": "shop.closed", "message": message, "step": "pay"}
    told = tale("pay").begin("pay").add("step.failed", step="pay", attempt=1, error=error, random=0.1)
    lines = status_lines(told.add("execution.ended", status="failed", error=error).view())
    assert lines[2].endswith("…")
    assert len(lines[2]) < ROW_CHARACTERS + 40
    assert f"Error  shop.closed: {message} (in pay)" in lines


def test_the_last_error_of_what_is_tried_again_is_told_if_its_row_cannot_hold_it(tale: MakeTale) -> None:
    told = tale("crm", "pay").begin("crm").fail("crm", message="short").begin("pay").fail("pay", message="long " * 60)
    assert error_lines(told.view()) == [f"Last error  payment.declined: {'long ' * 60} (in pay)"]
