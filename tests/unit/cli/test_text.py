from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.cli.text import Cell, columns, is_lively, paint, safe, safe_json

EVIL = "\x1b]0;owned\x07 \r\n \x9b31m \u202egnp.exe \u2028 \x7f \ud800"


class Terminal:
    """Standard output as a terminal would be: only what colour asks for."""

    def isatty(self) -> bool:
        return True


def test_safe_shows_what_would_be_obeyed() -> None:
    shown = safe(EVIL)
    assert shown.startswith(r"\x1b]0;owned\x07 \x0d\x0a \x9b31m \u202egnp.exe")
    assert shown.isprintable()


@given(st.text())
def test_safe_text_is_one_printable_line(text: str) -> None:
    assert len(safe(text).splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in safe(text))


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_safe_json_is_the_same_value(value: object) -> None:
    text = safe_json(json.dumps(value, indent=1, ensure_ascii=False))
    assert json.loads(text) == value
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_ordinary_text_is_left_alone() -> None:
    assert safe("Zoë paid 5 € – 山田 ✓") == "Zoë paid 5 € – 山田 ✓"


def test_columns_line_up_and_carry_no_trailing_space() -> None:
    assert columns([["a", "long word", ""], ["bcd", "x", "y"]], indent="  ") == [
        "  a    long word",
        "  bcd  x          y",
    ]


def test_columns_escape_data_before_measuring() -> None:
    assert columns([["\x1b", "b"], ["x", "c"]]) == [r"\x1b  b", "x     c"]


def test_no_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert paint("red", "x") == "x"
    assert columns([[Cell("x", "red")]]) == ["x"]


def test_colour_on_a_terminal_unless_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint("red", "x") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("red", "x") == "x"


@pytest.mark.parametrize(
    ("variables", "lively"), [({}, True), ({"CI": "true"}, False), ({"CI": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_nothing_moves_in_ci_or_on_a_dumb_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], lively: bool
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_lively(Terminal()) is lively  # type: ignore[arg-type]
