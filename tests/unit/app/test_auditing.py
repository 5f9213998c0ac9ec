"""Everything that is not as it was written is named, with its place; and where the journals may lie."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.forged import forge, where
from tests.support.loans import started
from wfrun.app.auditing import Checked, is_damaged, verify
from wfrun.app.evidence import evidence_of, of_home, of_path
from wfrun.app.proving import is_proved, prove
from wfrun.errors import NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return started(tmp_path)


def verified(home: Home) -> Checked:
    (checked,) = verify(of_home(home, ["e"]))
    return checked


def codes(checked: Checked) -> list[str]:
    return [found["code"] for found in checked["findings"]]


def journal(home: Home) -> Path:
    return Path(home.journal_path("e"))


class TestJournals:
    def test_one_that_is_as_written(self, home: Home) -> None:
        checked = verified(home)
        records = Journal.read(home, "e")
        assert (checked["execution"], checked["records"], checked["findings"]) == ("e", len(records), [])
        assert checked["bytes"] == journal(home).stat().st_size

    def test_damage_is_told_with_byte_and_record_and_read_past(self, home: Home) -> None:
        lines = journal(home).read_bytes().splitlines(keepends=True)
        lines[2] = lines[2].replace(b'"type"', b'"tYpe"')
        lines[5] = lines[5].replace(b'"type"', b'"tYpe"')
        journal(home).write_bytes(b"".join(lines))
        checked = verified(home)
        assert [(found["seq"], found["offset"]) for found in checked["findings"]] == [
            (3, len(b"".join(lines[:2]))),
            (6, len(b"".join(lines[:5]))),
        ]
        assert is_damaged(checked)
        assert checked["records"] == len(lines) - 2

    @pytest.mark.parametrize("change", ["deleted", "swapped", "repeated"])
    def test_a_line_that_was_moved(self, home: Home, change: str) -> None:
        lines = journal(home).read_bytes().splitlines(keepends=True)
        moved = {
            "deleted": lines[:4] + lines[5:],
            "swapped": [*lines[:4], lines[5], lines[4], *lines[6:]],
            "repeated": [*lines[:4], lines[3], *lines[4:]],
        }[change]
        journal(home).write_bytes(b"".join(moved))
        assert verified(home)["findings"][0]["seq"] == 5

    def test_an_unfinished_line_is_no_damage(self, home: Home) -> None:
        journal(home).write_bytes(journal(home).read_bytes()[:-9])
        checked = verified(home)
        assert codes(checked) == ["journal.torn"]
        assert not is_damaged(checked)

    def test_an_empty_file_is_no_damage(self, home: Home) -> None:
        journal(home).write_bytes(b"")
        assert codes(verified(home)) == ["journal.unbegun"]

    @pytest.mark.parametrize(
        "change", [{"more": 1}, {"type": "step.vanished"}, {"attempt": "1"}, {"error": {"type": 1, "message": ""}}]
    )
    def test_a_record_that_cannot_be(self, home: Home, change: dict[str, Any]) -> None:
        forge(home, "e", lambda records: records[where(records, type="step.failed")].update(change))
        checked = verified(home)
        assert codes(checked) == ["journal.record"]
        assert checked["findings"][0]["seq"] == 1 + where(Journal.read(home, "e"), **change)

    def test_a_journal_of_another_execution(self, home: Home) -> None:
        other = Path(home.journal_path("f"))
        other.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(journal(home), other)
        (checked,) = verify(of_home(home, ["f"]))
        assert codes(checked) == ["journal.damaged"]
        assert "belongs to execution 'e'" in checked["findings"][0]["message"]

    def test_one_that_cannot_be_read_is_told_and_keeps_nobody_from_the_others(self, home: Home) -> None:
        other = Path(home.journal_path("f"))
        other.parent.mkdir(mode=0o700, exist_ok=True)
        other.symlink_to(journal(home))
        found = {str(each["execution"]): codes(each) for each in verify(of_home(home, ["f", "e"]))}
        assert found == {"f": ["state.kind"], "e": []}


@pytest.mark.parametrize(("content", "code"), [(None, "definition.unknown"), (b"name: x", "definition.damaged")])
def test_a_stored_definition_that_is_not_what_it_was(home: Home, content: bytes | None, code: str) -> None:
    (definition,) = Path(home.definitions).glob("*.yaml")
    definition.unlink()
    if content is not None:
        definition.write_bytes(content)
    checked = verified(home)
    assert codes(checked) == [code]
    assert checked["findings"][0]["seq"] == 1


class TestPlaces:
    def test_a_file_anywhere(self, home: Home, tmp_path: Path) -> None:
        shutil.copy(journal(home), tmp_path / "some.jsonl")
        (checked,) = verify(of_path(str(tmp_path / "some.jsonl")))
        assert (checked["execution"], checked["findings"]) == ("e", [])

    def test_a_folder_with_journals_and_definitions(self, home: Home, tmp_path: Path) -> None:
        shutil.copytree(home.path, tmp_path / "backup")
        evidence = of_path(str(tmp_path / "backup"))
        assert [each["findings"] for each in verify(evidence)] == [[]]
        assert [is_proved(each) for each in prove(evidence)] == [True]

    def test_ids_and_paths_together(self, home: Home, tmp_path: Path) -> None:
        shutil.copy(journal(home), tmp_path / "some.jsonl")
        found = evidence_of(home, ["e", str(tmp_path / "some.jsonl")], everything=False)
        assert [list(each.journals) for each in found] == [["e"], ["e"]]

    def test_everything(self, home: Home) -> None:
        assert [list(each.journals) for each in evidence_of(home, [], everything=True)] == [["e"]]

    @pytest.mark.parametrize("name", ["nothing", "./nothing", "empty"])
    def test_what_is_no_place(self, home: Home, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty").mkdir()
        with pytest.raises(NotFoundError):
            evidence_of(home, [name], everything=False)
