"""The list of executions that are gone: what their journals ended with, so that nobody has to take it on trust.

`removed.jsonl` in the state directory is written as a journal is: numbered, chained and sealed lines, one for each
execution, of type `execution.removed`. A line is on the disk before the journal that it is about is removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

from wfrun.journal.chain import Chain
from wfrun.journal.codec import instant
from wfrun.journal.failures import damaged, io_failed
from wfrun.journal.scan import scan

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.journal.home import Home

REMOVED = "removed.jsonl"


class Removal(TypedDict):
    """What is kept of an execution: how it had ended, and number and SHA-256 of the last line of its journal."""

    execution: str
    workflow: str
    status: str
    startedAt: str
    endedAt: str
    records: int
    sha256: str


def read_removed(home: Home) -> list[Record]:
    """What is on the list. JournalError if it is damaged; a torn last line is left out."""
    path = f"{home.path}/{REMOVED}"
    found = scan(home.read_file(path) or b"")
    if found.damage is not None:
        raise damaged(path, found.damage)
    return found.records


def was_removed(home: Home, execution_id: str) -> bool:
    """Whether an execution of this id is on the list: it is not to be started again as if it had never been."""
    return f'"execution":"{execution_id}"'.encode() in (home.read_file(f"{home.path}/{REMOVED}") or b"")


class RemovedList:
    """The list, open to add to. To be opened and used under the lock of the home's directory. JournalError."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = f"{home.path}/{REMOVED}"
        self._chain = Chain()
        found = self._chain.read(home.read_file(self._path) or b"")
        if found.damage is not None:
            raise damaged(self._path, found.damage)

    @property
    def records(self) -> list[Record]:
        return self._chain.records

    def add(self, removals: Iterable[Removal]) -> None:
        """Durable on return."""
        at = instant(self._home.clock())
        for removal in removals:
            self._chain.stamp({"type": "execution.removed", **removal}, at)
        data = b"".join(self._chain.unwritten)
        self._chain.unwritten.clear()
        try:
            self._append(data)
        except OSError as error:
            raise io_failed(self._path, "written", error) from error

    def _append(self, data: bytes) -> None:
        files = self._home.files
        with suppress(FileExistsError):
            files.close(files.create(self._path))
        fd = files.open(self._path)
        try:
            if files.write(fd, data) != len(data):
                raise OSError("short write")
            files.sync(fd)
        finally:
            files.close(fd)
        self._home.sync_names(self._home.path)
