from __future__ import annotations

import io
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from wfrun.cli.values import DATA, assign, current_user, parse_value, read_input, read_lines
from wfrun.errors import InvalidError, NotFoundError, UsageError


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        (["a=1"], {"a": 1}),
        (["a=1.5", "b=true", "c=null", 'd="1"', "e=[1,2]"], {"a": 1.5, "b": True, "c": None, "d": "1", "e": [1, 2]}),
        (
            ["a=text", "b=", "c=x=y", "d=NaN", "e=a{b"],
            {"a": "text", "b": "", "c": "x=y", "d": "NaN", "e": "a{b"},
        ),
        (["a.b=1", "a.c.d=2"], {"a": {"b": 1, "c": {"d": 2}}}),
        (["a=1", "a=2"], {"a": 2}),
        (["a={}", "a.b=1"], {"a": {"b": 1}}),
        (["zip=01234"], {"zip": "01234"}),
    ],
)
def test_assign(pairs: list[str], value: dict[str, Any]) -> None:
    assert assign(pairs) == value


@pytest.mark.parametrize("pairs", [["a"], ["=1"], ["a..b=1"], [".=1"], ["a=1", "a.b=2"]])
def test_wrong_assignments(pairs: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        assign(pairs)
    assert caught.value.code == "usage.set"


def test_whoever_means_a_file_is_told_the_option() -> None:
    with pytest.raises(UsageError) as caught:
        read_input(None, ["@order.json"], DATA)
    assert caught.value.hint.endswith("--data-file FILE takes all of it from a file")


@pytest.mark.parametrize("text", ["{broken", "[1", '"open', ' {"a": nope}', "[1] and more"])
def test_what_looks_like_json_must_be_json(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        assign([f"a.b={text}"])
    problem = caught.value.problems[0]
    assert (problem.place.file, problem.place.line) == ("<a.b>", 1)
    typed = shlex.split(problem.hint.partition("write ")[2])
    assert assign([f"a={typed[0]}"]) == {"a": text}


def test_a_long_text_is_not_repeated() -> None:
    with pytest.raises(InvalidError) as caught:
        parse_value("{" * 1_000)
    assert len(caught.value.problems[0].hint) < 100


def test_assignments_leave_what_they_are_laid_over_alone() -> None:
    base: dict[str, Any] = {"a": {"b": 1}, "c": 2}
    assert assign(["a.b=5"], base) == {"a": {"b": 5}, "c": 2}
    assert base == {"a": {"b": 1}, "c": 2}


def test_input_from_file_text_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "order.json"
    file.write_text('{"total": 729.58}')
    assert read_input(str(file), ["total=1", "x=y"]) == {"total": 1, "x": "y"}
    assert read_input(' {"a": 1}', []) == {"a": 1}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[1]")))
    assert read_input("-", []) == [1]
    assert read_input(None, []) is None
    assert read_input(None, ["a=1"]) == {"a": 1}


def test_set_needs_an_object() -> None:
    with pytest.raises(UsageError, match="--set needs --input to be an object"):
        read_input("[1]", ["a=1"])


def test_input_that_is_no_json_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text('{"a": 1,\n "a": 2}')
    with pytest.raises(InvalidError) as caught:
        read_input(str(file), [])
    assert (caught.value.place.file, caught.value.place.line) == (str(file), 2)


@pytest.mark.parametrize("name", ["missing.json", ".", "nul\0.json"])
def test_input_that_cannot_be_read(name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        read_input(name, [])
    assert caught.value.code == "file.unreadable"


def test_lines_of_a_batch(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text('{"a": 1}\n\n  \n{"a": 2}\n{broken\n3')
    first, second, broken, last = read_lines(str(file))
    assert (first, second, last) == ((1, {"a": 1}), (4, {"a": 2}), (6, 3))
    assert broken[0] == 5
    assert isinstance(broken[1], InvalidError)
    assert str(broken[1].place) == f"{file}:5:2"


def test_missing_batch_file() -> None:
    with pytest.raises(NotFoundError):
        next(read_lines("missing.jsonl"))


def test_the_user_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    assert current_user() == "ada"
