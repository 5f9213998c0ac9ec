"""Where the journals lie that somebody wants to have checked: in a state directory, a file, a folder, a bundle.

A bundle is a tar archive, or a folder, laid out as a state directory is. What is no state directory of one's own is
only read, so it does not matter whose it is.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from wfrun.app.executions import find_execution
from wfrun.errors import JournalError, NotFoundError, StateError
from wfrun.journal.blobs import fill
from wfrun.journal.home import JOURNAL, Home, is_id
from wfrun.journal.removed import REMOVED
from wfrun.journal.scan import scan

if TYPE_CHECKING:
    from wfrun.core.events import Record

DEFINITIONS, BLOBS = "definitions", "blobs"
SUMS, HEADS = "SHA256SUMS", "HEADS"
_LARGEST_BUNDLE = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Evidence:
    """Journals, and the files that they name.

    `journals`: where the journal of each execution is. `read` gives the bytes that are there. `stored` gives those of a
    file by its place in a state directory, `definitions/<sha256>.yaml`, or None; it is None itself if only journals are
    at hand. `ledger` is where removed executions are listed, `sums` where each file of a bundle is, by its name.
    `place_of` tells where the journal of another execution is that was not asked for, if there is one.
    """

    journals: Mapping[str, str]
    read: Callable[[str], bytes]
    stored: Callable[[str], bytes | None] | None = None
    ledger: str | None = None
    sums: Mapping[str, str] | None = None
    place_of: Callable[[str], str | None] = lambda execution: None

    def whole(self, record: Record) -> Record:
        """The record with those of its members that stand in blobs. StateError `blob.unknown`, `blob.damaged`."""
        if "blobs" not in record:
            return record
        record = dict(record)
        fill(record, self._blob)
        return record

    def _blob(self, digest: str) -> bytes:
        name = f"{BLOBS}/{digest}"
        data = self.stored(name) if self.stored is not None else None
        if data is None:
            raise StateError("blob.unknown", f"{name}, which the journal names, is missing")
        if sha256(data).hexdigest() != digest:
            raise StateError("blob.damaged", f"{name} is not what was stored")
        return data


def evidence_of(home: Home, names: Iterable[str], *, everything: bool) -> list[Evidence]:
    """What is named: executions by their ids, or the beginnings of these, and paths. Or all of the state directory.

    Raises NotFoundError, AmbiguousError, JournalError.
    """
    if everything:
        return [of_home(home, sorted(home.ids()), whole=True)]
    executions = []
    elsewhere = []
    for name in names:
        if not home.exists(name) and (os.sep in name or os.path.exists(name)):
            elsewhere.append(of_path(name))
        else:
            executions.append(find_execution(home, name))
    return [*([of_home(home, executions)] if executions else []), *elsewhere]


def of_home(home: Home, executions: Iterable[str], *, whole: bool = False) -> Evidence:
    def read(path: str) -> bytes:
        return home.read_file(path) or b""

    def stored(name: str) -> bytes | None:
        return home.read_file(f"{home.path}/{name}")

    ledger = f"{home.path}/{REMOVED}"

    def place_of(execution: str) -> str | None:
        return home.journal_path(execution) if home.exists(execution) else None

    journals = {execution: home.journal_path(execution) for execution in executions}
    return Evidence(journals, read, stored, ledger if whole and home.find(ledger) else None, place_of=place_of)


def of_path(path: str) -> Evidence:
    """A journal, a folder with journals, or a bundle. Raises NotFoundError; JournalError if it is none of them."""
    if os.path.isdir(path):
        found = {each.relative_to(path).as_posix(): each for each in sorted(Path(path).rglob("*")) if each.is_file()}
        return _of_files(path, found, lambda name: _read(found[name]))
    if not os.path.exists(path):
        raise NotFoundError("file.unreadable", f"{path} cannot be read: no such file")
    if _is_tar(path):
        members = _members(path)
        return _of_files(path, members, members.__getitem__)
    return Evidence({_execution_in(_read(Path(path)), path): path}, lambda name: _read(Path(name)))


def _of_files(path: str, names: Iterable[str], data: Callable[[str], bytes]) -> Evidence:
    names = set(names)

    def read(place: str) -> bytes:
        return data(place.removeprefix(f"{path}/"))

    def stored(name: str) -> bytes | None:
        return data(name) if name in names else None

    journals = {}
    for name in sorted(names):
        if name.endswith(JOURNAL) and name != REMOVED and not PurePosixPath(name).name.startswith("."):
            journals[_execution_in(data(name), name)] = f"{path}/{name}"
    if not journals:
        raise NotFoundError(
            "audit.empty", f"there is no journal in {path}", hint="journals are named <execution>.jsonl"
        )
    has_store = any(PurePosixPath(name).parts[0] == DEFINITIONS for name in names)
    sums = {name: f"{path}/{name}" for name in names} if SUMS in names else None
    ledger = f"{path}/{REMOVED}" if REMOVED in names else None
    return Evidence(journals, read, stored if has_store else None, ledger, sums)


def _execution_in(raw: bytes, name: str) -> str:
    """The execution that a journal says it belongs to; where that cannot be read, what its file is named after."""
    named = PurePosixPath(name).name.removesuffix(JOURNAL)
    if PurePosixPath(name).parent.parent.name == "executions" and is_id(named):
        return named
    records = scan(raw[: raw.find(b"\n") + 1]).records
    return str(records[0].get("execution", named)) if records else named


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JournalError("state.io", f"{path} cannot be read: {error.strerror or error}") from error


def _is_tar(path: str) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except OSError as error:
        raise JournalError("state.io", f"{path} cannot be read: {error.strerror or error}") from error


def _members(path: str) -> dict[str, bytes]:
    """The files of an archive, below its one folder. Nothing is unpacked to the disk."""
    files: dict[str, bytes] = {}
    left = _LARGEST_BUNDLE
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                left -= member.size
                if not member.isfile() or left < 0:
                    raise JournalError("bundle.damaged", f"{path}: {member.name!r} does not belong in a bundle")
                content = archive.extractfile(member)
                assert content is not None
                files[member.name.partition("/")[2] or member.name] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise JournalError("bundle.damaged", f"{path} cannot be read as an archive: {error}") from error
    return files
