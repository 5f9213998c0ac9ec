"""The journals of a namespace as files: what reads and writes a state directory reads and writes executions there.

A journal is fetched when somebody looks at it, and what is appended to one is told to the execution when it is synced:
which refuses it if it has gone on meanwhile. So whatever is judged under the append lock of a file is judged here under
the same condition: nothing has come in between.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Any

from wfrun.engines.temporal.client import Namespace
from wfrun.errors import NotFoundError
from wfrun.journal.chain import Chain
from wfrun.journal.home import JOURNAL, is_id
from wfrun.journal.io import FILE_MODE
from wfrun.journal.memory import MemoryFiles
from wfrun.views.status import status_of

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.journal.io import Stat

# What was looked at so short a time ago is as it was.
FRESH_S = 0.02


class JournalFiles(MemoryFiles):
    """`ask` runs what is to be asked of the namespace, and waits for the answer."""

    def __init__(self, namespace: Namespace, ask: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        super().__init__()
        self._namespace = namespace
        self._ask = ask
        self._chains: dict[str, Chain] = {}
        self._looked: dict[str, float] = {}
        self._paths: dict[int, str] = {}

    # ---- looking

    def stat(self, path: str) -> Stat:
        self._look(path)
        return super().stat(path)

    def open(self, path: str) -> int:
        self._look(path)
        return self._opened_as(super().open(path), path)

    def open_read(self, path: str) -> int:
        self._look(path)
        return self._opened_as(super().open_read(path), path)

    def create(self, path: str, mode: int = FILE_MODE) -> int:
        self._look(path)
        return self._opened_as(super().create(path, mode), path)

    def close(self, fd: int) -> None:
        self._paths.pop(fd, None)
        super().close(fd)

    def list(self, path: str) -> list[str]:
        """Of the executions' folder, and of those in it, what visibility knows."""
        above, _, name = path.rpartition("/")
        if name == "executions":
            return sorted({_shard(id) for id in self._ask(self._namespace.ids())})
        if above.endswith("/executions"):
            return [f"{id}{JOURNAL}" for id in self._ask(self._namespace.ids()) if _shard(id) == name]
        return super().list(path)

    def try_lock(self, fd: int) -> bool:
        """Workers drive what is under way; what only waits, or has ended, somebody may want to repair."""
        path = self._paths.get(fd, "")
        chain = self._chains.get(path)
        if chain is not None and chain.records and status_of(chain.records)["status"] == "running":
            return False
        return super().try_lock(fd)

    def _opened_as(self, fd: int, path: str) -> int:
        self._paths[fd] = path
        return fd

    def _look(self, path: str) -> None:
        name = os.path.basename(path)
        if name.endswith(JOURNAL) and is_id(name.removesuffix(JOURNAL)):
            self._fetch(path, name.removesuffix(JOURNAL))
        elif name == ".lock":
            self._make_lock(path)
        elif "." not in name:
            self._make(path)

    def _make_lock(self, path: str) -> None:
        """Who wants to know whether an execution is driven looks under a lock that others would have made."""
        self._make(os.path.dirname(path))
        with suppress(FileExistsError):
            super().close(super().create(path))

    def _make(self, folder: str) -> None:
        """Directories are there whenever somebody looks."""
        parts = folder.strip("/").split("/")
        for count in range(len(parts)):
            try:
                self.mkdir("/" + "/".join(parts[: count + 1]))
            except FileExistsError:
                continue

    def _fetch(self, path: str, execution: str) -> None:
        if monotonic() - self._looked.get(path, -1.0) < FRESH_S:
            return
        chain = self._chains.get(path) or Chain()
        if path in self._chains and len(self._file(path).data) > chain.end:
            return  # somebody is about to append
        try:
            records = self._ask(self._namespace.records(execution, len(chain.records)))
        except NotFoundError:
            return
        if not chain.records:
            self._keep_definitions(path, execution)
        self._extend(path, chain, records)
        self._looked[path] = monotonic()

    def _extend(self, path: str, chain: Chain, records: Iterable[Record]) -> None:
        for record in records:
            chain.stamp(record, record["at"])
        data, chain.unwritten = b"".join(chain.unwritten), []
        if path not in self._chains:
            self._make(os.path.dirname(path))
            super().close(super().create(path))
            self._chains[path] = chain
        if data:
            self._file(path).data += data
            self._file(path).synced = bytes(self._file(path).data)

    def _keep_definitions(self, path: str, execution: str) -> None:
        folder = f"{path.rpartition('/executions/')[0]}/definitions"
        self._make(folder)
        for digest, carried in self._ask(self._namespace.definitions(execution)).items():
            try:
                fd = super().create(f"{folder}/{digest}.yaml")
            except FileExistsError:
                continue
            super().write(fd, carried["source"].encode())
            super().sync(fd)
            super().close(fd)

    # ---- telling

    def sync(self, fd: int) -> None:
        """Raises ConflictError `journal.moved`, with nothing told, if the execution has gone on meanwhile."""
        path = self._paths.get(fd, "")
        chain = self._chains.get(path)
        if chain is not None:
            self._tell(path, chain)
        super().sync(fd)

    def _tell(self, path: str, chain: Chain) -> None:
        new = bytes(self._file(path).data[chain.end :])
        records = [_record(line) for line in new.splitlines()]
        if not records:
            return
        execution = os.path.basename(path).removesuffix(JOURNAL)
        self._ask(self._namespace.append(execution, len(chain.records), records, self._named(path, records)))
        chain.read(new)
        self._looked.pop(path, None)  # what it has come to is news

    def _named(self, path: str, records: Iterable[Record]) -> dict[str, Any]:
        """Definitions that new records bring with them."""
        folder = f"{path.rpartition('/executions/')[0]}/definitions"
        found = {}
        for record in records:
            for digest in {record.get("definition"), *record.get("links", {})} - {None}:
                source = bytes(self._file(f"{folder}/{digest}.yaml").data).decode()
                found[digest] = {"file": record["origin"]["file"], "source": source}
        return found


def _shard(execution: str) -> str:
    return sha256(execution.encode()).hexdigest()[:2]


def _record(line: bytes) -> Record:
    record: Record = json.loads(line)
    for name in ("crc", "prev"):
        record.pop(name)
    return record
