"""The state directory: places, trust, and definitions written once."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.journals import (
    ID,
    FaultyFiles,
    ShortWrite,
    completed,
    counting,
    memory_home,
    os_error,
    started,
)
from wfrun.errors import JournalError, NotFoundError, StateError, UsageError
from wfrun.journal.home import Home, is_id
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "state" / "home")


def mode(path: str | Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_places(home: Home) -> None:
    shard = sha256(ID.encode()).hexdigest()[:2]
    assert home.journal_path(ID) == f"{home.path}/executions/{shard}/{ID}.jsonl"
    assert home.definition_path("a" * 64) == f"{home.path}/definitions/{'a' * 64}.yaml"


@pytest.mark.parametrize("text", ["../x", "-rf", "a\0b", "", "A", "a" * 65, "a/b", ".a", "a\n", "é"])
def test_what_is_no_id_names_no_place(home: Home, text: str) -> None:
    assert not is_id(text)
    assert not home.exists(text)
    with pytest.raises(UsageError) as caught:
        home.journal_path(text)
    assert caught.value.code == "execution.id"


@pytest.mark.parametrize("text", ["a", "0", "k7m2x9qd", "order-7.retry_2", "a" * 64])
def test_ids(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("digest", ["", "../../x", "A" * 64, "g" * 64])
def test_what_is_no_digest_names_no_definition(home: Home, digest: str) -> None:
    with pytest.raises(UsageError) as caught:
        home.definition_path(digest)
    assert caught.value.code == "definition.digest"


def test_looking_makes_nothing(home: Home) -> None:
    assert list(home.ids()) == []
    assert not home.exists(ID)
    assert home.read_cache("name") is None
    with pytest.raises(NotFoundError):
        Journal.read(home, ID)
    with pytest.raises(StateError) as caught:
        home.read_definition("a" * 64)
    assert caught.value.code == "definition.unknown"
    assert not os.path.exists(home.path)


def test_what_cannot_be_read_is_told() -> None:
    files = MemoryFiles()
    digest = Home("/home", files).write_definition(b"x")
    faulty = FaultyFiles(files, lambda _, name: os_error() if name == "open_read" else None)
    with pytest.raises(JournalError) as caught:
        Home("/home", faulty.door).read_definition(digest)
    assert caught.value.code == "state.io"


def test_only_the_owner_may_enter(home: Home) -> None:
    Journal.create(home, ID, started()).close()
    digest = home.write_definition(b"x")
    shard = os.path.dirname(home.journal_path(ID))
    assert {mode(path) for path in (home.path, home.executions, home.definitions, shard)} == {0o700}
    assert {mode(path) for path in (home.journal_path(ID), f"{shard}/.lock", home.definition_path(digest))} == {0o600}


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_locks_are_closed_to_make_room(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfrun.journal.home._most_locks", lambda: 3)
    before = open_files()
    journals = [Journal.create(home, f"e{number}", started(f"e{number}")) for number in range(12)]
    for journal in journals * 2:
        with journal.turn():
            journal.add(completed(1))
        journal.sync()
    assert open_files() - before <= len(journals) + 3
    for journal in journals:
        assert len(Journal.read(home, journal.execution_id)) == 3
        journal.close()


def test_a_lock_that_is_held_is_not_closed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfrun.journal.home._most_locks", lambda: 1)
    held, other = home.shard("held"), home.shard("other")
    assert held != other
    home.ensure(held)
    home.ensure(other)
    with home.locked(held), home.locked(other), home.locked(home.executions):
        fd = home.files.open(f"{held}/.lock")
        assert not home.files.try_lock(fd)
    assert home.files.try_lock(fd)
    home.files.close(fd)


def test_threads_exclude_each_other_while_locks_come_and_go(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfrun.journal.home._most_locks", lambda: 1)
    directories = [home.shard(id) for id in ("a", "b", "c")]
    for directory in directories:
        home.ensure(directory)
    inside: Counter[str] = Counter()
    crowds = []

    def enter(turns: range) -> None:
        for turn in turns:
            directory = directories[turn % 3]
            with home.locked(directory):
                inside[directory] += 1
                crowds.append(inside[directory])
                os.sched_yield()
                inside[directory] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, [range(number, number + 300) for number in range(4)]))
    assert (len(crowds), set(crowds)) == (1200, {1})


def test_ids_are_found_by_prefix(home: Home) -> None:
    for id in ("abc", "abd", "xyz"):
        Journal.create(home, id, started(id)).close()
    Path(home.shard("abc"), ".abc.jsonl.new").write_text("left behind")
    Path(home.shard("abc"), "NOTES.jsonl").write_text("not ours")
    Path(home.executions, "notes.txt").write_text("not ours either")
    assert sorted(home.ids()) == ["abc", "abd", "xyz"]
    assert sorted(home.ids("ab")) == ["abc", "abd"]
    assert list(home.ids("q")) == []
    assert home.exists("abc")


def test_a_directory_that_everybody_can_write_is_refused(home: Home) -> None:
    Journal.create(home, ID, started()).close()
    os.chmod(home.executions, 0o777)
    with pytest.raises(StateError, match=r"executions can be written by everybody.*chmod"):
        list(Home(home.path).ids())
    with pytest.raises(StateError):
        Journal.create(Home(home.path), "other", started())


def test_a_journal_that_everybody_can_write_is_refused(home: Home) -> None:
    Journal.create(home, ID, started()).close()
    os.chmod(home.journal_path(ID), 0o666)
    with pytest.raises(StateError) as caught:
        Journal.read(home, ID)
    assert caught.value.code == "state.mode"


def test_links_are_refused(home: Home, tmp_path: Path) -> None:
    Journal.create(home, ID, started()).close()
    path = Path(home.journal_path(ID))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    for use in (lambda: Journal.read(home, ID), lambda: Journal.open(home, ID)):
        with pytest.raises(StateError) as caught:
            use()
        assert caught.value.code == "state.kind"
    (tmp_path / "link").symlink_to(home.path)
    with pytest.raises(StateError):
        list(Home(tmp_path / "link").ids())


def test_a_pipe_in_the_place_of_a_journal_is_refused(home: Home) -> None:
    home.ensure(home.shard(ID))
    os.mkfifo(home.journal_path(ID), 0o600)
    with pytest.raises(StateError):
        Journal.read(home, ID)


def test_what_belongs_to_others_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal.create(home, ID, started()).close()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(StateError) as caught:
        list(Home(home.path).ids())
    assert caught.value.code == "state.owner"


def test_a_definition_is_its_exact_bytes(home: Home) -> None:
    data = b"name: x\r\n\xff\0"
    digest = home.write_definition(data)
    assert digest == sha256(data).hexdigest()
    assert home.read_definition(digest) == data
    assert Path(home.definition_path(digest)).read_bytes() == data


def test_a_definition_is_written_once() -> None:
    home = memory_home()
    digest = home.write_definition(b"x")
    with counting(home) as calls:
        assert home.write_definition(b"x") == digest
        assert calls == []
        again = Home(home.path, home.files)
        assert again.write_definition(b"x") == digest
        assert "write" not in calls
        assert "sync_directory" in calls


def test_a_definition_that_changed_is_refused_and_mended(home: Home) -> None:
    digest = home.write_definition(b"x")
    Path(home.definition_path(digest)).write_bytes(b"y")
    with pytest.raises(StateError) as caught:
        home.read_definition(digest)
    assert caught.value.code == "definition.damaged"
    Home(home.path).write_definition(b"x")
    assert home.read_definition(digest) == b"x"


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home = Home(tmp_path / "file" / "home")
    with pytest.raises(JournalError):
        home.write_definition(b"x")
    with pytest.raises(JournalError):
        Journal.create(home, ID, started())
    assert list(home.ids()) == []


def test_what_is_cached_is_found_again(home: Home) -> None:
    home.write_cache("a.json", b"old")
    home.write_cache("a.json", b"new")
    assert home.read_cache("a.json") == b"new"
    assert home.read_cache("b.json") is None
    assert os.listdir(home.cache) == ["a.json"]
    assert (mode(home.cache), mode(f"{home.cache}/a.json")) == (0o700, 0o600)


def test_a_cache_costs_no_sync() -> None:
    home = memory_home()
    with counting(home) as calls:
        home.write_cache("a.json", b"data")
    assert not [call for call in calls if "sync" in call]


def test_a_cache_that_cannot_be_read_is_none(home: Home) -> None:
    home.write_cache("a.json", b"data")
    os.symlink("a.json", f"{home.cache}/link.json")
    os.mkdir(f"{home.cache}/folder.json")
    assert home.read_cache("link.json") is None
    assert home.read_cache("folder.json") is None


def test_a_cache_that_cannot_be_written_is_not(home: Home) -> None:
    os.makedirs(home.path, mode=0o700)
    Path(home.cache).write_text("")
    home.write_cache("a.json", b"data")
    assert home.read_cache("a.json") is None


@pytest.mark.parametrize(
    ("call", "error"), [("create", os_error()), ("write", os_error()), ("write", ShortWrite()), ("rename", os_error())]
)
def test_a_cache_on_a_failing_disk_leaves_nothing_behind(call: str, error: OSError) -> None:
    disk = MemoryFiles()
    faulty = FaultyFiles(disk, lambda _number, name: error if name == call else None)
    Home("/home", faulty.door).write_cache("a.json", b"data")
    home = Home("/home", disk)
    assert home.read_cache("a.json") is None
    assert disk.list(home.cache) == []


def test_a_home_is_made_only_where_everything_above_it_is_durable() -> None:
    files = MemoryFiles()
    files.mkdir("/srv")  # by somebody who died before syncing its name
    Journal.create(Home("/srv/a/home", files), ID, started()).close()
    assert len(Journal.read(Home("/srv/a/home", files.crash()), ID)) == 1


@pytest.mark.parametrize(
    ("number", "is_refused"), [(errno.EACCES, False), (errno.EINVAL, False), (errno.EROFS, False), (errno.EIO, True)]
)
def test_what_is_above_a_home_need_not_be_ours(number: int, is_refused: bool) -> None:
    def fault(at: int, name: str) -> OSError | None:
        return os_error(number) if name == "sync_directory" else None

    files = MemoryFiles()
    home = Home("/srv/home", FaultyFiles(files, fault).door)
    if is_refused:
        with pytest.raises(OSError):
            home.ensure(home.path)
    else:
        home.ensure(home.path)
    assert files.list("/srv") == ([] if is_refused else ["home"])
