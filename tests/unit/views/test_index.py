"""The index against the journals: whatever happened to it, the answer is what the journals say."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wfrun.errors import JournalError, NotFoundError, StateError
from wfrun.views.index.reader import Index
from wfrun.views.index.store import boot_id
from wfrun.views.index.writer import IndexWriter, rebuild
from wfrun.views.status import status_of

if TYPE_CHECKING:
    from tests.unit.views.conftest import Story, StoryMaker

Record = dict[str, Any]


class Disk:
    """A state directory with journals that are not chained, and a count of how many were read."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.executions = f"{path}/executions"
        self.reads: list[str] = []
        os.makedirs(self.executions, exist_ok=True)

    def journal_path(self, execution_id: str) -> str:
        return f"{self.executions}/{len(execution_id):02x}/{execution_id}.jsonl"

    def read(self, execution: str) -> list[Record]:
        self.reads.append(execution)
        try:
            text = Path(self.journal_path(execution)).read_text()
        except FileNotFoundError:
            raise NotFoundError("execution.unknown", execution) from None
        if "damaged" in text:
            raise JournalError("journal.damaged", "damaged")
        return [json.loads(line) for line in text.splitlines()]

    def write(self, told: Story, *, settle: bool = True) -> int:
        """Store a story; its size. `settle` makes the directory look as if it had changed long ago."""
        path = Path(self.journal_path(told.execution))
        path.parent.mkdir(exist_ok=True)
        existed = path.exists()
        path.write_text("".join(json.dumps(record) + "\n" for record in told.records))
        if settle and not existed:
            self.settle(path.parent)
        return path.stat().st_size

    def settle(self, shard: Path) -> None:
        """Every change gives another time, all of them in the past."""
        self._tick = getattr(self, "_tick", 0) + 1
        past = time.time_ns() - 10**12 + self._tick * 10**9
        os.utime(shard, ns=(past, past))

    def shard(self, execution: str) -> Path:
        return Path(self.journal_path(execution)).parent

    def index(self) -> Index:
        return Index(self, self.read)

    def noted(self, *stories: Story) -> None:
        """Index stories as a run that ended orderly does."""
        writer = IndexWriter(self, self.read)
        for told in stories:
            writer.note(status_of(told.records), self.write(told))
        writer.close()

    def ids(self, **question: Any) -> list[str]:
        return [summary["execution"] for summary in self.index().summaries(**question)]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.fixture
def tell(story: StoryMaker) -> Callable[..., Story]:
    def tell(execution: str, ending: str = "", workflow: str = "order", minute: int = 0) -> Story:
        told = story(execution, workflow, ("pay",))
        for record in told.records:
            record["at"] = f"2026-11-23T09:{minute:02}:00.000000Z"
        if ending == "waiting":
            return told.ask("pay")
        return told.begin("pay").end(ending) if ending else told.begin("pay")

    return tell


Tell = Callable[..., "Story"]


def test_without_an_index_the_journals_answer(disk: Disk, tell: Tell) -> None:
    disk.write(tell("aaa1", "failed", minute=1))
    disk.write(tell("bbb22", "completed", minute=2))
    assert disk.ids() == ["bbb22", "aaa1"]
    assert disk.ids(status="failed") == ["aaa1"]
    assert os.listdir(disk.path) == ["executions"]


def test_no_state_directory_has_no_executions(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    os.rmdir(disk.executions)
    assert disk.ids() == []
    assert disk.index().tasks() == []
    assert rebuild(disk, disk.read) == 0
    assert os.listdir(tmp_path) == []


def test_with_an_index_no_journal_of_an_ended_execution_is_read(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("aaa1", "failed", minute=1), tell("bbb2", "completed", minute=2))
    disk.reads.clear()
    assert disk.ids() == ["bbb2", "aaa1"]
    assert disk.index().summaries(status="failed")[0]["startedAt"] == "2026-11-23T09:01:00.000000Z"
    assert disk.reads == []


def test_what_needs_attention_has_not_ended_for_good(disk: Disk, tell: Tell) -> None:
    told = tell("aaa1", "needs-attention")
    disk.noted(told)
    assert disk.ids(status="running") == []
    disk.write(told.add("execution.resumed", by="ada").begin("compensate:pay", attempt=2))
    assert disk.ids(status="running") == ["aaa1"]


@pytest.mark.parametrize(
    ("question", "ids"),
    [
        ({}, ["e5", "d4", "c3", "b2", "a1"]),
        ({"limit": 2}, ["e5", "d4"]),
        ({"status": "failed"}, ["e5", "a1"]),
        ({"status": "failed", "limit": 1}, ["e5"]),
        ({"workflow": "loan"}, ["d4", "b2"]),
        ({"workflow": "loan", "status": "waiting"}, ["d4"]),
        ({"since": "2026-11-23T09:03:00.000000Z"}, ["e5", "d4", "c3"]),
        ({"status": "running"}, []),
        ({"limit": 0}, []),
    ],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_questions(disk: Disk, tell: Tell, question: dict[str, Any], ids: list[str], indexed: bool) -> None:
    stories = [
        tell("a1", "failed", "order", 1),
        tell("b2", "completed", "loan", 2),
        tell("c3", "completed", "order", 3),
        tell("d4", "waiting", "loan", 4),
        tell("e5", "failed", "order", 5),
    ]
    if indexed:
        disk.noted(*stories)
    else:
        for told in stories:
            disk.write(told)
    assert disk.ids(**question) == ids


def test_equally_old_ones_come_in_order_of_their_ids(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("c3", "failed"), tell("a1", "failed"))
    disk.write(tell("b2", "failed"))
    assert disk.ids() == ["a1", "b2", "c3"]


def test_running_and_interrupted_are_told_apart_by_who_drives(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", minute=1), tell("b2", minute=2), tell("c3", "failed", minute=3))
    driven = {"a1": True, "b2": False}.__getitem__
    statuses = {row["execution"]: row["status"] for row in disk.index().summaries(driven=driven)}
    assert statuses == {"a1": "running", "b2": "interrupted", "c3": "failed"}
    assert disk.ids(status="running", driven=driven) == ["a1"]
    assert disk.ids(status="interrupted", driven=driven, limit=1) == ["b2"]


def test_one_that_was_interrupted_may_be_driven_again(disk: Disk, tell: Tell) -> None:
    told = tell("a1")
    writer = IndexWriter(disk, disk.read)
    writer.note(status_of(told.records, driven=False), disk.write(told))
    writer.close()
    assert disk.ids(status="interrupted", driven=lambda execution: False) == ["a1"]
    assert disk.ids(status="running", driven=lambda execution: True) == ["a1"]


def test_what_ends_while_it_is_looked_at_is_not_called_interrupted(disk: Disk, tell: Tell) -> None:
    told = tell("a1")
    disk.noted(told)

    def driver_ends(execution: str) -> bool:
        disk.write(told.end("completed"))
        return False

    (row,) = disk.index().summaries(driven=driver_ends)
    assert row["status"] == "completed"


def test_a_journal_that_grew_is_read_again(disk: Disk, tell: Tell) -> None:
    told = tell("a1", "waiting")
    disk.noted(told, tell("b2", "waiting"))
    disk.write(told.decide("pay").end("completed"))
    disk.reads.clear()
    assert disk.ids(status="waiting") == ["b2"]
    assert disk.ids(status="completed") == ["a1"]
    assert set(disk.reads) == {"a1"}


def test_a_writer_that_was_killed_before_it_wrote(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed", minute=1))
    lost = IndexWriter(disk, disk.read)
    told = tell("b2", "failed", minute=2)
    lost.note(status_of(told.records), disk.write(told))
    del lost
    assert disk.ids(status="failed") == ["b2", "a1"]


def test_a_writer_that_flushed_and_was_killed(disk: Disk, tell: Tell) -> None:
    killed = IndexWriter(disk, disk.read)
    one, two = tell("a1", "failed", minute=1), tell("b2", "failed", minute=2)
    killed.note(status_of(one.records), disk.write(one))
    killed.flush()
    disk.write(two)
    assert disk.ids() == ["b2", "a1"]


def test_a_long_batch_writes_now_and_then(disk: Disk, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfrun.views.index.writer.PENDING", 3)
    writer = IndexWriter(disk, disk.read)
    for number in range(4):
        told = tell(f"a{number}", "failed", minute=number)
        writer.note(status_of(told.records), disk.write(told))
    with closing(sqlite3.connect(f"{disk.path}/index.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM executions").fetchone() == (3,)
    assert disk.ids() == ["a3", "a2", "a1", "a0"]


def test_the_next_writer_in_a_shard_makes_up_for_a_killed_one(disk: Disk, tell: Tell) -> None:
    disk.write(tell("a1", "failed", minute=1))
    disk.noted(tell("b2", "failed", minute=2))
    disk.reads.clear()
    assert disk.ids() == ["b2", "a1"]
    assert disk.reads == []


def test_a_shard_that_changed_just_now_is_not_vouched_for(disk: Disk, tell: Tell) -> None:
    """Within a tick of the kernel's clock a further journal would not change the directory's time."""
    told = tell("a1", "failed", minute=1)
    writer = IndexWriter(disk, disk.read)
    writer.note(status_of(told.records), disk.write(told, settle=False))
    writer.close()
    modified = disk.shard("a1").stat().st_mtime_ns
    disk.write(tell("b2", "failed", minute=2), settle=False)
    os.utime(disk.shard("a1"), ns=(modified, modified))
    assert disk.ids() == ["b2", "a1"]


def test_the_size_belongs_to_what_was_seen(disk: Disk, tell: Tell) -> None:
    told = tell("a1", "waiting")
    view, size = status_of(told.records), disk.write(told)
    disk.write(told.decide("pay"))
    writer = IndexWriter(disk, disk.read)
    writer.note(view, size)
    writer.close()
    assert disk.ids(status="waiting") == []


def test_a_deleted_journal_is_gone(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed"), tell("b2", "waiting"), tell("c3", "failed"))
    for execution in ("a1", "b2"):
        os.remove(disk.journal_path(execution))
    assert disk.ids() == ["c3"]
    assert disk.index().ids("", 9) == ["c3"]
    assert disk.index().tasks() == []


def test_a_deleted_journal_takes_no_place_in_the_list(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed", minute=1), tell("b2", "failed", minute=2))
    os.remove(disk.journal_path("b2"))
    assert disk.ids(limit=1) == ["a1"]


@pytest.mark.parametrize("limit", [2**62, 2**63 - 1, 2**63, 10**30])
def test_a_limit_beyond_all_numbers_of_a_database(disk: Disk, tell: Tell, limit: int) -> None:
    disk.noted(tell("a1", "failed"))
    disk.write(tell("b2", "failed"))
    assert sorted(disk.ids(limit=limit)) == ["a1", "b2"]


@pytest.mark.parametrize("name", ["index.sqlite", "index.sqlite.new"])
def test_an_index_that_cannot_be_made_is_told_and_leaves_nothing_behind(disk: Disk, tell: Tell, name: str) -> None:
    disk.write(tell("a1", "failed"))
    path = Path(disk.path)
    (path / name).mkdir()
    with pytest.raises(StateError, match="Is a directory") as told:
        rebuild(disk, disk.read)
    assert (told.value.code, told.value.exit_code) == ("index.io", 6)
    assert [found.name for found in path.glob("index*")] == [name]


def test_a_row_written_after_its_journal_went_takes_no_place(disk: Disk, tell: Tell) -> None:
    told = [tell("a1", "failed", minute=2), tell("b2", "failed", minute=1)]
    writer = IndexWriter(disk, disk.read)
    for each in told:
        writer.note(status_of(each.records), disk.write(each))
    os.remove(disk.journal_path("a1"))
    disk.settle(disk.shard("a1"))
    rebuild(disk, disk.read)
    writer.flush()
    assert disk.index().ids("", 1) == ["b2"]
    assert disk.ids(limit=1) == ["b2"]


def test_damage_is_shown_and_never_kept(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed"))
    disk.write(tell("b2", "damaged"))
    (row,) = disk.index().summaries(status="needs-attention")
    assert (row["execution"], row["error"], row["endedAt"]) == ("b2", "journal.damaged", None)
    disk.noted(tell("c3", "failed"))
    disk.write(tell("b2", "completed"))
    assert disk.ids(status="completed") == ["b2"]


def test_what_is_no_journal_is_passed_over(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed"))
    (disk.shard("a1") / ".lock").touch()
    (disk.shard("a1") / "b2.jsonl").touch()
    (disk.shard("a1") / ".c3.jsonl.new").write_text("half")
    assert disk.ids() == ["a1"]


def test_tasks_of_stored_and_changed_executions(disk: Disk, tell: Tell) -> None:
    one, two, three = tell("a1", "waiting"), tell("b2", "waiting"), tell("c3", "waiting")
    disk.noted(one, two)
    disk.write(three)
    disk.write(one.decide("pay"))
    index = disk.index()
    assert [task["task"] for task in index.tasks()] == ["b2/pay", "c3/pay"]
    assert [task["task"] for task in index.tasks("loan-managers")] == ["b2/pay", "c3/pay"]
    assert index.tasks("nobody") == []


def test_ids_by_prefix(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("ab1", "failed"), tell("ab2", "waiting"), tell("ac1", "failed"))
    disk.write(tell("ab3"))
    index = disk.index()
    assert index.ids("ab", 9) == ["ab1", "ab2", "ab3"]
    assert index.ids("ab", 2) == ["ab1", "ab2"]
    assert index.ids("ab2", 9) == ["ab2"]
    assert index.ids("x", 9) == []


@pytest.mark.parametrize("garbage", [b"", b"not a database at all" * 99])
def test_a_damaged_index_is_passed_over_and_made_anew(disk: Disk, tell: Tell, garbage: bytes) -> None:
    disk.noted(tell("a1", "failed", minute=1))
    Path(disk.path, "index.sqlite").write_bytes(garbage)
    assert disk.ids() == ["a1"]
    disk.noted(tell("b2", "failed", minute=2))
    disk.reads.clear()
    assert disk.ids() == ["b2", "a1"]
    assert disk.reads == []


def test_damage_inside_the_index_is_found_when_it_is_read(disk: Disk, tell: Tell) -> None:
    disk.noted(*(tell(f"a{number}", "failed", minute=number) for number in range(50)))
    path = Path(disk.path, "index.sqlite")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    assert len(disk.ids()) == 50


def test_an_index_of_another_version_is_not_used(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed", minute=1))
    database = sqlite3.connect(f"{disk.path}/index.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.execute("DROP TABLE shards")
    database.close()
    assert disk.ids() == ["a1"]
    disk.noted(tell("b2", "failed", minute=2))
    assert disk.ids() == ["b2", "a1"]


def test_after_another_boot_the_shards_are_listed_again(disk: Disk, tell: Tell) -> None:
    if not boot_id():
        pytest.skip("this system does not say when it was started")
    disk.noted(tell("a1", "failed", minute=1), tell("b2", "failed", minute=2))
    database = sqlite3.connect(f"{disk.path}/index.sqlite")
    with database:
        database.execute("UPDATE boot SET id = 'earlier'")
        database.execute("DELETE FROM executions WHERE id = 'a1'")
    database.close()
    assert disk.ids() == ["b2", "a1"]


def test_a_locked_index_delays_nobody_for_long(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed", minute=1))
    lock = sqlite3.connect(f"{disk.path}/index.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    assert disk.ids() == ["a1"]
    disk.noted(tell("b2", "failed", minute=2))
    assert time.monotonic() - begun < 5
    lock.close()
    assert disk.ids() == ["b2", "a1"]


def test_an_index_that_cannot_be_written_is_no_error(disk: Disk, tell: Tell) -> None:
    os.mkdir(f"{disk.path}/index.sqlite")
    disk.noted(tell("a1", "failed"))
    assert disk.ids() == ["a1"]


def test_readers_write_nothing(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed"), tell("b2", "waiting"))
    disk.write(tell("c3"))

    def tree() -> dict[str, tuple[int, int]]:
        found = ((path, path.stat()) for path in Path(disk.path).rglob("*"))
        return {str(path): (stat.st_mtime_ns, stat.st_size) for path, stat in found}

    before = tree()
    disk.ids()
    disk.index().tasks()
    disk.index().ids("", 9)
    assert tree() == before


def test_the_index_is_private(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed"))
    assert Path(disk.path, "index.sqlite").stat().st_mode & 0o777 == 0o600


def test_reindex_counts_and_forgets_what_was_wrong(disk: Disk, tell: Tell) -> None:
    disk.noted(tell("a1", "failed", minute=1))
    database = sqlite3.connect(f"{disk.path}/index.sqlite")
    with database:
        database.execute("UPDATE executions SET status = 'completed', started = '1999'")
    database.close()
    disk.write(tell("b2", "failed", minute=2))
    assert rebuild(disk, disk.read) == 2
    disk.reads.clear()
    assert disk.ids(status="failed") == ["b2", "a1"]
    assert disk.reads == []
    assert sorted(os.listdir(disk.path)) == ["executions", "index.sqlite"]


class IndexMachine(RuleBasedStateMachine):
    """Executions begin, wait, end and vanish; writers note, flush, close or die. The index never says anything else
    than the journals."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        from wfrun.views.summary import summary_of

        self.summary_of = summary_of
        self.folder = tempfile.TemporaryDirectory()
        self.disk = Disk(Path(self.folder.name))
        self.stories: dict[str, Story] = {}
        self.writer = IndexWriter(self.disk, self.disk.read)
        self.count = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(length=st.integers(1, 2), settle=st.booleans())
    def begin(self, length: int, settle: bool) -> None:
        from tests.unit.views.conftest import Story

        self.count += 1
        told = Story(f"{self.count:02}"[:2] + "x" * length, "order", ("pay",))
        self.stories[told.execution] = told
        self.disk.write(told.driven(), settle=settle)

    @precondition(lambda self: self.stories)
    @rule(data=st.data(), what=st.sampled_from(["ask", "decide", "failed", "completed"]))
    def go_on(self, data: st.DataObject, what: str) -> None:
        told = self.stories[data.draw(st.sampled_from(sorted(self.stories)))]
        asked = any(record["type"] == "task.created" for record in told.records)
        if told.records[-1]["type"] == "execution.ended" or (what == "decide" and not asked):
            return
        if what in ("ask", "decide"):
            told.ask("pay") if what == "ask" else told.decide("pay")
        else:
            told.end(what)
        self.disk.write(told)

    @precondition(lambda self: self.stories)
    @rule(data=st.data())
    def note(self, data: st.DataObject) -> None:
        told = self.stories[data.draw(st.sampled_from(sorted(self.stories)))]
        self.writer.note(status_of(told.records), Path(self.disk.journal_path(told.execution)).stat().st_size)

    @precondition(lambda self: self.stories)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        told = self.stories.pop(data.draw(st.sampled_from(sorted(self.stories))))
        os.remove(self.disk.journal_path(told.execution))
        self.disk.settle(self.disk.shard(told.execution))

    @rule()
    def flush(self) -> None:
        self.writer.flush()

    @rule(orderly=st.booleans())
    def end_writer(self, orderly: bool) -> None:
        if orderly:
            self.writer.close()
        self.writer = IndexWriter(self.disk, self.disk.read)

    @rule()
    def reindex(self) -> None:
        assert rebuild(self.disk, self.disk.read) == len(self.stories)

    @invariant()
    def the_index_agrees_with_the_journals(self) -> None:
        told = [self.summary_of(status_of(story.records)) for story in self.stories.values()]
        told.sort(key=lambda summary: summary["execution"])
        assert self.disk.index().summaries() == told
        waiting = [row["execution"] for row in told if row["status"] == "waiting"]
        assert self.disk.ids(status="waiting") == waiting
        assert sorted({task["execution"] for task in self.disk.index().tasks()}) == waiting
        assert self.disk.index().ids("0", 1) == [row["execution"] for row in told if row["execution"] < "1"][:1]


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
