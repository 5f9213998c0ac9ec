"""Files of variables."""

from __future__ import annotations

import string
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.app.env_file import parse_env, read_env_file
from wfrun.errors import ExpressionError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("A = two words  # of a comment", "two words"),
        ("export A='x # y'", "x # y"),
        (r'A="a\nb\"c\$d\\" # z', 'a\nb"c$d\\'),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=a#b", "a#b"),
        ("A=http://x/?a=b&c=d\r", "http://x/?a=b&c=d"),
        ("A=$HOME `ls` ${B}", "$HOME `ls` ${B}"),
        ("A=1\nA=2", "2"),
        ("# A=0\n\nA=1", "1"),
    ],
)
def test_a_line(line: str, value: str) -> None:
    assert parse_env(line, "x.env") == {"A": value}


@pytest.mark.parametrize(
    "line", ["A", "=1", "1A=1", "A='s3cr3t", 'A="s3cr3t', "A='s3cr3t' x", "A=#s3cr3t", "A-B=s3cr3t"]
)
def test_what_is_no_variable_is_told_by_its_number_and_not_its_text(line: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_env(f"B=2\n{line}", "x.env")
    assert caught.value.code == "env.file"
    assert "x.env:2" in caught.value.message
    assert "s3cr3t" not in caught.value.message + caught.value.hint


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_characters="\n\r'"))


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), PRINTABLE))
def test_what_is_in_single_quotes_stands_as_it_is(values: dict[str, str]) -> None:
    text = "\n".join(f"{name}='{value}'" for name, value in values.items())
    assert parse_env(text, "x.env") == values


@given(st.text())
def test_any_text_is_variables_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        assert all(name.isidentifier() for name in parse_env(text, "x.env"))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"A=\xff")
    for path in (tmp_path / "none", tmp_path / "latin", tmp_path):
        with pytest.raises(ExpressionError, match="cannot be read"):
            read_env_file(str(path))
