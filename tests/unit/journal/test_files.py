"""The two disks keep the same promises; the one in memory knows what a loss of power leaves."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wfrun.journal.io import Files, OsFiles
from wfrun.journal.memory import MemoryFiles

Place = tuple[Files, str]


@pytest.fixture(params=["disk", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A disk, and a directory on it."""
    if request.param == "disk":
        return OsFiles(), str(tmp_path)
    files = MemoryFiles()
    files.mkdir("/d")
    return files, "/d"


def number_of(call: Callable[[], object]) -> int | None:
    with pytest.raises(OSError) as caught:
        call()
    return caught.value.errno


def test_bytes_are_appended_and_read_at_any_place(place: Place) -> None:
    files, at = place
    fd = files.create(f"{at}/f")
    assert files.write(fd, b"hello ") == 6
    again = files.open(f"{at}/f")
    assert files.write(again, b"world") == 5
    assert files.read(fd, 0, 100) == b"hello world"
    assert files.read(fd, 6, 3) == b"wor"
    assert files.read(fd, 50, 3) == b""
    files.sync(fd)
    files.sync_filesystem(fd)
    files.close(again)
    files.close(fd)


def test_what_is_not_there_and_what_is(place: Place) -> None:
    files, at = place
    files.close(files.create(f"{at}/f"))
    files.mkdir(f"{at}/sub")
    assert number_of(lambda: files.open(f"{at}/none")) == errno.ENOENT
    assert number_of(lambda: files.stat(f"{at}/none")) == errno.ENOENT
    assert number_of(lambda: files.remove(f"{at}/none")) == errno.ENOENT
    assert number_of(lambda: files.create(f"{at}/none/f")) == errno.ENOENT
    assert number_of(lambda: files.stat(f"{at}/f/x")) == errno.ENOTDIR
    assert number_of(lambda: files.create(f"{at}/f")) == errno.EEXIST
    assert number_of(lambda: files.mkdir(f"{at}/sub")) == errno.EEXIST
    assert number_of(lambda: files.open(f"{at}/sub")) == errno.EISDIR
    assert sorted(files.list(at)) == ["f", "sub"]
    assert number_of(lambda: files.list(f"{at}/f")) == errno.ENOTDIR


def test_what_stands_at_a_path(place: Place) -> None:
    files, at = place
    fd = files.create(f"{at}/f", 0o700)
    files.write(fd, b"12345")
    found = files.stat(f"{at}/f")
    assert (found.kind, found.size, found.mode, found.owner) == ("file", 5, 0o700, os.geteuid())
    files.set_mode(fd, 0o600)
    assert files.stat(f"{at}/f") == found._replace(mode=0o600)
    assert files.stat(at).kind == "directory"


def test_a_rename_replaces_at_once(place: Place) -> None:
    files, at = place
    old, new = files.create(f"{at}/f"), files.create(f"{at}/g")
    files.write(old, b"old")
    files.write(new, b"new")
    inode = files.stat(f"{at}/g").inode
    files.rename(f"{at}/g", f"{at}/f")
    files.sync_directory(at)
    assert files.stat(f"{at}/f").inode == inode
    assert files.list(at) == ["f"]
    assert files.read(old, 0, 9) == b"old", "an open file outlives its name"


def test_locks_exclude_whoever_opened_it_separately(place: Place) -> None:
    files, at = place
    first = files.create(f"{at}/f")
    second = files.open_read(f"{at}/f")
    files.lock(first)
    assert files.try_lock(first)
    assert not files.try_lock(second)
    files.unlock(first)
    assert files.try_lock(second)
    assert not files.try_lock(first)
    files.close(second)
    assert files.try_lock(first)


def test_a_closed_descriptor_is_refused(place: Place) -> None:
    files, at = place
    fd = files.create(f"{at}/f")
    files.close(fd)
    for call in (files.sync, files.sync_filesystem):
        assert number_of(lambda call=call: call(fd)) == errno.EBADF  # type: ignore[misc]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    files = OsFiles()
    for call in (files.open, files.open_read):
        assert number_of(lambda call=call: call(f"{tmp_path}/link")) == errno.ELOOP  # type: ignore[misc]
    assert files.stat(f"{tmp_path}/link").kind == "other"


def test_descriptors_are_not_inherited(tmp_path: Path) -> None:
    files = OsFiles()
    for fd in (files.create(f"{tmp_path}/f"), files.open(f"{tmp_path}/f"), files.open_read(str(tmp_path))):
        assert not os.get_inheritable(fd)
        files.close(fd)


# ---- the loss of power


def after(files: MemoryFiles) -> dict[str, bytes]:
    found = files.crash()
    return {name: found.read(found.open(f"/{name}"), 0, 99) for name in found.list("/")}


def test_a_name_and_bytes_are_lost_unless_synced() -> None:
    files = MemoryFiles()
    fd = files.create("/f")
    files.write(fd, b"one")
    files.sync(fd)
    assert after(files) == {}
    files.sync_directory("/")
    files.write(fd, b"two")
    assert after(files) == {"f": b"one"}
    files.rename("/f", "/g")
    assert after(files) == {"f": b"one"}
    files.sync_filesystem(fd)
    assert after(files) == {"g": b"onetwo"}


def test_what_was_not_synced_may_have_got_to_the_disk_in_any_order() -> None:
    files = MemoryFiles()
    for name in ("one", "two"):
        files.create(f"/{name}")
        files.rename(f"/{name}", f"/new-{name}")
    seen = set()
    for number in range(16):
        kept = iter(bool(number >> bit & 1) for bit in range(4))
        names = files.crash(reached=lambda kept=kept: next(kept)).list("/")  # type: ignore[misc]
        seen.add(frozenset(names))
    each = [set(), {"{}"}, {"new-{}"}]
    assert seen == {frozenset({a.format("one") for a in x} | {a.format("two") for a in y}) for x in each for y in each}


def test_a_mode_is_durable_with_the_file_system() -> None:
    files = MemoryFiles()
    fd = files.create("/f", 0o600)
    files.sync_directory("/")
    files.set_mode(fd, 0o700)
    files.sync(fd)
    modes = [files.crash(reached=lambda reached=reached: reached).stat("/f").mode for reached in (False, True)]  # type: ignore[misc]
    assert modes == [0o600, 0o700]
    files.sync_filesystem(fd)
    assert files.crash().stat("/f").mode == 0o700


def test_a_failed_sync_loses_bytes_for_good() -> None:
    files = MemoryFiles()
    fd = files.create("/f")
    files.sync_directory("/")
    files.write(fd, b"one")
    files.lose_unsynced(fd)
    files.write(fd, b"two")
    files.sync(fd)
    assert files.read(fd, 0, 9) == b"onetwo", "readers go on seeing them"
    assert after(files) == {"f": b"\0\0\0two"}


@pytest.mark.parametrize("sync", [MemoryFiles.sync, MemoryFiles.sync_filesystem])
def test_a_failed_sync_is_told_once_to_whoever_has_the_file_open(sync: Callable[[MemoryFiles, int], None]) -> None:
    files = MemoryFiles()
    failed, other = files.create("/f"), files.open("/f")
    files.lose_unsynced(failed)
    sync(files, failed)
    assert number_of(lambda: sync(files, other)) == errno.EIO
    sync(files, other)
    sync(files, files.open("/f"))


def test_the_end_of_a_process_closes_and_unlocks() -> None:
    files = MemoryFiles()
    fd = files.create("/f")
    files.lock(fd)
    files.end_process()
    assert files.try_lock(files.open("/f"))
    assert number_of(lambda: files.sync(fd)) == errno.EBADF
