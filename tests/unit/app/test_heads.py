"""Heads that were kept elsewhere find what no journal can show by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.forged import forge
from tests.support.loans import started
from wfrun.app.evidence import evidence_of
from wfrun.app.heads import Comparison, Head, compare, head_text, heads_of, read_heads
from wfrun.errors import InvalidError
from wfrun.journal.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return started(tmp_path)


def heads(home: Home) -> list[Head]:
    found = [each for evidence in evidence_of(home, [], everything=True) for each in heads_of(evidence)]
    return [each for each in found if isinstance(each, Head)]


def journal(home: Home) -> Path:
    return Path(home.journal_path("e"))


def cut(home: Home, count: int) -> None:
    lines = journal(home).read_bytes().splitlines(keepends=True)
    journal(home).write_bytes(b"".join(lines[:-count]))


def codes(comparison: Comparison) -> list[str]:
    return [each["code"] for each in comparison["differences"]]


def test_what_is_unchanged_is_as_it_was(home: Home) -> None:
    assert compare(home, heads(home)) == {"compared": 1, "grown": 0, "removed": 0, "differences": []}


def test_what_has_grown_is_as_it_was(home: Home) -> None:
    whole = journal(home).read_bytes()
    cut(home, 3)
    before = heads(home)
    journal(home).write_bytes(whole)
    assert compare(home, before) == {"compared": 1, "grown": 1, "removed": 0, "differences": []}


def test_what_was_cut_off_or_written_anew_is_found(home: Home) -> None:
    before = heads(home)
    cut(home, 1)
    assert codes(compare(home, before)) == ["audit.truncated"]
    forge(home, "e", lambda records: records.append(dict(records[-1])))
    assert codes(compare(home, before)) == ["audit.rewritten"]
    journal(home).unlink()
    assert codes(compare(home, before)) == ["audit.missing"]


def test_what_is_damaged_is_found_if_it_is_before_the_head(home: Home) -> None:
    before = heads(home)
    raw = journal(home).read_bytes()
    journal(home).write_bytes(raw.replace(b"500", b"501", 1))
    comparison = compare(home, before)
    assert codes(comparison) == ["journal.damaged"]
    assert comparison["differences"][0]["expected"] == before[0].sha256
    assert heads(home) == []


def test_they_are_read_as_they_are_written(home: Home) -> None:
    found = heads(home)
    assert read_heads("# kept\n\n" + "\n".join(map(head_text, found)), "f") == found
    assert read_heads(json.dumps({"heads": [head._asdict() for head in found]}), "f") == found


@pytest.mark.parametrize(
    "text",
    [
        "x",
        f"{'0' * 64} 1 e",
        f"{'0' * 64}  0  e",
        "{}",
        '{"heads": [1]}',
        '{"heads": [{"execution": "e", "seq": "1"}]}',
    ],
)
def test_what_is_no_head_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read_heads(f"{text}\n", "heads.txt")
    assert (refused.value.code, refused.value.place.file, refused.value.place.line) == ("audit.heads", "heads.txt", 1)
