"""Errors for people: the whole message, and below it what the service said besides, in a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.naming import called
from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData
    from wfrun.core.values import Json
    from wfrun.views.model import StatusView

ROW_CHARACTERS = 100
DETAIL_CHARACTERS = 200
DETAIL_LINES = 8
# What matters in the output of a program that failed stands at its end.
_TAILS = ("stderr",)


def error_in_row(error: ErrorData) -> str:
    """An error beside others: cut, as the whole of it is told below."""
    return cut(f"{error['type']}: {error['message']}", ROW_CHARACTERS)


def error_lines(view: StatusView) -> list[str]:
    """What ended the execution, what could not be undone, and what else went wrong that its row cannot hold."""
    names = view["names"]
    lines = _whole("Error", view["error"], names) if view["error"] else []
    for failure in view["failures"]:
        lines += _whole("Not undone", failure, names)
    told = {_words(error) for error in (view["error"], *view["failures"]) if error}
    for row in (*view["steps"], *view["compensations"]):
        if row["error"] and _words(row["error"]) not in told and _is_more_than_its_row(row["error"]):
            lines += _whole("Last error", {"step": row["step"], **row["error"]}, names)
    return lines


def _words(error: ErrorData) -> tuple[str, str]:
    return error["type"], error["message"]


def _is_more_than_its_row(error: ErrorData) -> bool:
    return error_in_row(error).endswith("…") or bool(_detail_rows(error))


def _whole(word: str, error: ErrorData, names: Mapping[str, str]) -> list[str]:
    head = f"{paint('red', word)}  {safe(error['type'])}: {safe(error['message'])}{safe(_where(error, names))}"
    return [head, *columns(_detail_rows(error), indent="  ")]


def _where(error: ErrorData, names: Mapping[str, str]) -> str:
    step = called(error.get("step", ""), names)
    if step.startswith(COMPENSATE):
        return f" (undoing {step.removeprefix(COMPENSATE)})"
    return f" (in {step})" if step else ""


def _detail_rows(error: ErrorData) -> list[list[Cell]]:
    """The details as labelled lines, at most DETAIL_LINES of at most DETAIL_CHARACTERS."""
    details = error.get("details")
    if error["type"].startswith("task."):  # the message says who decided what, and why
        return []
    entries = sorted(details.items()) if isinstance(details, dict) else [("details", details)]
    rows = [row for name, value in entries for row in _entry(name, value)]
    return rows if len(rows) <= DETAIL_LINES else [*rows[: DETAIL_LINES - 1], [Cell("…", "dim")]]


def _entry(name: str, value: Json) -> Iterator[list[Cell]]:
    lines = [line for line in _text(value).splitlines() if line.strip()]
    most = DETAIL_LINES - 2
    shown = lines[-most:] if name in _TAILS else lines[:most]
    for position, line in enumerate(shown):
        yield [Cell("" if position else name, "dim"), Cell(cut(line, DETAIL_CHARACTERS))]


def _text(value: Json) -> str:
    if value is None or value == {} or value == []:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
