"""What is removed, what never is, and that whoever dies meanwhile leaves nothing that the next run does not finish."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.loans import started
from wfrun.app import collecting, driving
from wfrun.app.collecting import Collected, collect
from wfrun.app.evidence import of_home
from wfrun.app.heads import Head, compare, heads_of
from wfrun.app.reading import executions
from wfrun.errors import ConflictError
from wfrun.journal.crash import Crash, crashing
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.removed import read_removed

LATER = datetime(2100, 1, 1, tzinfo=UTC)
STATUSES = collecting.OVER
FAMILY = {
    "parent": """
name: parent
services: { s: { adapter: mock, default: { result: 1 } } }
steps:
  - { name: sub, type: workflow, workflow: child, output: sub }
  - STEP
""",
    "child": """
name: child
services: { s: { adapter: mock, default: { result: 7 } } }
steps: { name: one, service: s, action: a, output: one }
""",
}
ASKS = "{ name: ask, type: human-task, assignee: { users: [ann] } }"
CALLS = "{ name: last, service: s, action: a }"
FAILS = "{ name: no, type: fail, error: shop.closed }\nerrorHandling: { onFailure: pause }"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return started(tmp_path)


def family(folder: Path, step: str = CALLS, **more: Any) -> Home:
    home = Home(folder / "home")
    for name, text in FAMILY.items():
        (folder / f"{name}.yaml").write_text(text.replace("STEP", step))
    driving.run(home, workflow=str(folder / "parent.yaml"), execution="p", **more)
    return home


def heads_in(home: Home) -> list[Head]:
    return [head for head in heads_of(of_home(home, sorted(home.ids()))) if isinstance(head, Head)]


def removed(collected: Collected) -> list[str]:
    return [each["execution"] for each in collected["executions"]]


def files(home: Home) -> set[str]:
    return {str(path.relative_to(home.path)) for path in Path(home.path).rglob("*") if path.is_file()}


class TestWhich:
    def test_one_that_ended_before(self, home: Home) -> None:
        assert removed(collect(home, LATER, STATUSES)) == ["e"]
        assert not home.exists("e")

    def test_none_that_ended_later(self, home: Home) -> None:
        assert removed(collect(home, datetime.now(UTC) - timedelta(days=1), STATUSES)) == []
        assert home.exists("e")

    def test_none_with_another_status(self, home: Home) -> None:
        assert removed(collect(home, LATER, ("cancelled",))) == []

    def test_a_dry_run_only_says_so(self, home: Home) -> None:
        before = files(home)
        collected = collect(home, LATER, STATUSES, dry_run=True)
        assert (removed(collected), collected["dryRun"]) == (["e"], True)
        assert files(home) == before

    def test_none_that_waits_and_none_that_it_has_run(self, tmp_path: Path) -> None:
        home = family(tmp_path, ASKS)
        assert removed(collect(home, LATER, (*STATUSES, *collecting.ON_REQUEST))) == []
        assert sorted(home.ids()) == ["p", "p.sub"]

    def test_what_is_paused_only_if_it_is_asked_for(self, tmp_path: Path) -> None:
        home = family(tmp_path, FAILS)
        assert removed(collect(home, LATER, STATUSES)) == []
        assert removed(collect(home, LATER, ("paused",))) == ["p", "p.sub"]

    def test_a_parent_goes_with_its_children(self, tmp_path: Path) -> None:
        assert removed(collect(family(tmp_path), LATER, STATUSES)) == ["p", "p.sub"]

    def test_one_that_is_driven_stays(self, home: Home) -> None:
        journal = Journal.open(home, "e")
        journal.drive({"host": "h", "pid": 1, "wfrun": "0"})
        try:
            assert removed(collect(Home(home.path), LATER, STATUSES)) == []
        finally:
            journal.close()

    def test_one_that_is_damaged_stays(self, home: Home) -> None:
        path = Path(home.journal_path("e"))
        path.write_bytes(path.read_bytes().replace(b"500", b"501", 1))
        assert removed(collect(home, LATER, STATUSES)) == []

    def test_a_home_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        assert collect(Home(tmp_path / "none"), LATER, STATUSES)["executions"] == []
        assert not (tmp_path / "none").exists()


class TestWhatIsKept:
    def test_its_head_so_that_it_is_accounted_for(self, home: Home) -> None:
        heads = heads_in(home)
        collect(home, LATER, STATUSES)
        (listed,) = read_removed(home)
        assert (listed["execution"], listed["records"], listed["sha256"]) == heads[0]
        assert compare(home, heads) == {"compared": 1, "grown": 0, "removed": 1, "differences": []}

    def test_a_head_of_something_else_is_not(self, home: Home) -> None:
        (head,) = heads_in(home)
        collect(home, LATER, STATUSES)
        codes = [each["code"] for each in compare(home, [head._replace(sha256="0" * 64)])["differences"]]
        assert codes == ["audit.rewritten"]
        longer = compare(home, [head._replace(seq=head.seq + 1)])["differences"]
        assert [each["code"] for each in longer] == ["audit.truncated"]

    def test_its_id_so_that_nothing_is_done_twice(self, home: Home, tmp_path: Path) -> None:
        (tmp_path / "child.yaml").write_text(FAMILY["child"])
        collect(home, LATER, STATUSES)
        with pytest.raises(ConflictError) as refused:
            driving.run(home, workflow=str(tmp_path / "child.yaml"), execution="e")
        assert refused.value.code == "execution.removed"
        driving.run(home, workflow=str(tmp_path / "child.yaml"), execution="another")

    def test_the_index_follows(self, home: Home) -> None:
        collect(home, LATER, STATUSES)
        assert executions(home, status=None, workflow=None, limit=None, since=None) == []


class TestStoredFiles:
    def definitions(self, home: Home) -> list[str]:
        return [name for name in files(home) if name.startswith("definitions/") and name.endswith(".yaml")]

    def test_what_was_stored_lately_stays(self, home: Home) -> None:
        assert all(name.startswith("cache/") for name in collect(home, LATER, STATUSES)["files"])
        assert len(self.definitions(home)) == 1

    def test_what_nobody_names_goes(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(collecting, "LATELY_S", -1)
        (definition,) = self.definitions(home)
        collected = collect(home, LATER, STATUSES)
        assert definition in collected["files"]
        assert self.definitions(home) == []
        assert [name for name in files(home) if name.startswith("cache/")] == []

    def test_what_somebody_names_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(collecting, "LATELY_S", -1)
        home = family(tmp_path, ASKS)
        driving.run(home, workflow=str(tmp_path / "child.yaml"), execution="c")
        collected = collect(home, LATER, STATUSES)
        assert removed(collected) == ["c"]
        assert collected["files"] == []

    def test_a_start_stores_it_again(self, home: Home, tmp_path: Path) -> None:
        """Whoever starts now can rely on the definition, even if it was stored long ago."""
        (name,) = self.definitions(home)
        path = Path(home.path, name)
        before = os.stat(path).st_ctime_ns
        Home(home.path).write_definition(path.read_bytes())
        assert os.stat(path).st_ctime_ns > before


@pytest.mark.parametrize("point", ["gc.listed", "gc.removed", "gc.removed:2", "gc.swept"])
def test_whoever_dies_is_finished_by_the_next(tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "LATELY_S", -1)
    home = family(tmp_path)
    heads = heads_in(home)
    with crashing(point), pytest.raises(Crash):
        collect(home, LATER, STATUSES)
    home = Home(home.path)
    assert compare(home, heads)["differences"] == []
    never = datetime(2000, 1, 1, tzinfo=UTC)
    collect(home, never, STATUSES)  # what was begun is finished, whatever is asked for now
    assert list(home.ids()) == []
    assert compare(home, heads) == {"compared": 2, "grown": 0, "removed": 2, "differences": []}
    assert [each["execution"] for each in read_removed(home)] == ["p", "p.sub"]
    assert not [name for name in files(home) if name.endswith(".yaml")]


def test_what_has_gone_on_meanwhile_stays_with_its_children(tmp_path: Path) -> None:
    home = family(tmp_path)
    with crashing("gc.listed"), pytest.raises(Crash):
        collect(home, LATER, STATUSES)
    home = Home(home.path)
    journal = Journal.open(home, "p")
    with journal.turn():
        journal.add({"type": "compensation.requested", "by": "ann", "reason": ""})
    journal.close()
    assert removed(collect(home, LATER, STATUSES)) == []
    assert sorted(home.ids()) == ["p", "p.sub"]
