"""Reasons as people read them."""

from __future__ import annotations

from typing import Any

from wfrun.cli.render.explain import VALUE_CHARACTERS, explanation_lines

AT = "2026-11-23T09:00:01.000000Z"


def lines(*reasons: dict[str, Any], step: str | None = None, status: str | None = None) -> list[str]:
    whole = [{"step": None, "what": "waits", "why": "for it", "at": None, "values": {}, **each} for each in reasons]
    found: Any = {
        "step": step,
        "stepStatus": status,
        "execution": "k7m2",
        "workflow": "order",
        "version": 2,
        "status": "waiting",
        "reasons": whole,
    }
    return list(explanation_lines(found))


def test_an_execution() -> None:
    told = lines(
        {"step": "ask", "why": "kim has not decided", "at": AT}, {"what": "interrupted", "why": "nobody drives it"}
    )
    assert told == [
        "k7m2 · order (version 2) · waiting",
        "",
        "  waits  2026-11-23 09:00:01Z  ask: kim has not decided",
        "  interrupted  nobody drives it",
    ]


def test_a_step_with_the_values_that_its_condition_saw() -> None:
    skipped = {"step": "a", "what": "skipped", "why": "its condition was false", "values": {"$.x": {"b": 1, "a": "ü"}}}
    assert lines(skipped, step="a", status="skipped")[1:] == [
        "a · skipped",
        "",
        "  skipped  its condition was false",
        '      $.x = {"a": "ü", "b": 1}',
    ]
    assert lines(skipped, step="a")[1] == "a"


def test_a_step_is_named_where_that_is_not_clear() -> None:
    def about(step: str | None, why: str) -> str:
        return lines({"step": step, "why": why}, step="a")[3].removeprefix("  waits  ")

    assert about("b", "for it") == "b: for it"
    assert about("b", "b takes `then`") == "b takes `then`"
    assert about("a", "for it") == about(None, "for it") == about("compensate:a", "for it") == "for it"


def test_facts_that_the_words_tell_are_not_told_again() -> None:
    values = {"error": {"type": "x"}, "attempt": 1, "input": {"n": 5}, "data": {}}
    assert lines({"values": values})[3:] == ['      input = {"n": 5}']
    assert lines({"values": {"input": None}})[3:] == []


def test_long_values_are_cut_and_odd_ones_escaped() -> None:
    told = lines({"values": {"$.x": "y" * 500, "$.z\x1b": "\x1b[2J"}})
    assert told[3].endswith("…")
    assert len(told[3]) == len("      $.x = ") + VALUE_CHARACTERS
    assert "\x1b" not in "".join(told)
