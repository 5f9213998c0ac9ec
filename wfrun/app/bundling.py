"""Executions in one archive, with all that is needed to check them somewhere else. The same ones, the same bytes.

It is laid out as a state directory is. What is in it is named, with its SHA-256, in a file that `sha256sum -c` reads.
No service's configuration is in it, and so no secret: in a journal and in a definition only their names stand.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from wfrun.app.auditing import named_files
from wfrun.app.evidence import HEADS, SUMS
from wfrun.app.heads import Head, head_text
from wfrun.core.events import Record
from wfrun.errors import ConflictError, JournalError, NotFoundError
from wfrun.journal.failures import damaged
from wfrun.journal.home import Home
from wfrun.journal.scan import scan

README = """\
Executions of wfrun, exported for whoever wants to check them.

executions/     their journals: one JSON object a line, in the order in which things happened
definitions/    the workflows that they went by, each named after its SHA-256
blobs/          values too large for a line of a journal, each named after its SHA-256
HEADS           the SHA-256 and the number of the last line of each journal
SHA256SUMS      the SHA-256 of every other file here

With wfrun, on any machine, also before it is unpacked:

    wfrun audit verify BUNDLE        nothing was changed, and nothing is missing in the middle
    wfrun audit prove BUNDLE         everything happened as the definitions allow

Without it:

    sha256sum -c SHA256SUMS
    head -n 5 FILE.jsonl | tail -n 1 | tr -d '\\n' | sha256sum

The last gives the hash of line 5, which line 6 carries as its `prev`. For the last line it is the one in HEADS. Whoever
made this bundle could have made all of it anew: compare HEADS with heads that were kept elsewhere at the time.
"""


class Bundle(NamedTuple):
    """What to write: each file's bytes by its name in the bundle, and the heads of the journals in it."""

    files: Mapping[str, bytes]
    heads: list[Head]


def bundle(home: Home, executions: list[str]) -> Bundle:
    """Executions and all that they have started, as they are now. Raises JournalError, NotFoundError."""
    files: dict[str, bytes] = {"README": README.encode()}
    heads: list[Head] = []
    for execution in _with_children(home, executions):
        path = home.journal_path(execution)
        raw = home.read_file(path) or b""
        found = scan(raw)
        if found.damage is not None:
            raise damaged(path, found.damage)
        files[path.removeprefix(f"{home.path}/")] = raw[: found.head.end]
        heads.append(Head(execution, found.head.seq, found.head.prev))
        for name, _ in (named for record in found.records for named in named_files(record)):
            if name not in files:
                files[name] = _stored(home, name)
    files[HEADS] = "".join(f"{head_text(head)}\n" for head in heads).encode()
    files[SUMS] = "".join(f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()
    return Bundle(files, heads)


def write_bundle(bundle: Bundle, out: str) -> None:
    """As an archive if the name ends with `.tar`, else as a folder, which must not be there. ConflictError."""
    if os.path.lexists(out):
        raise ConflictError("bundle.exists", f"{out} is there already", hint="nothing is overwritten: name another")
    try:
        if out.endswith(".tar"):
            _write_archive(bundle, out)
        else:
            _write_folder(bundle, Path(out))
    except OSError as error:
        raise JournalError("bundle.io", f"{out} cannot be written: {error.strerror or error}") from error


def _with_children(home: Home, executions: list[str]) -> list[str]:
    """In order of their ids. What was only about to be started is not there."""
    known: set[str] = set()
    waiting = list(executions)
    while waiting:
        execution = waiting.pop()
        if execution not in known:
            known.add(execution)
            waiting += [child for child in children_in(_records(home, execution)) if home.exists(child)]
    return sorted(known)


def children_in(records: list[Record]) -> Iterator[str]:
    """The executions that a journal says were started by it."""
    return (record["child"] for record in records if record["type"] == "child.started")


def _records(home: Home, execution: str) -> list[Record]:
    return scan(home.read_file(home.journal_path(execution)) or b"").records


def _stored(home: Home, name: str) -> bytes:
    data = home.read_file(f"{home.path}/{name}")
    if data is None:
        raise NotFoundError("bundle.incomplete", f"{home.path}/{name}, which a journal names, is missing")
    return data


def _write_archive(bundle: Bundle, out: str) -> None:
    """Complete, or not at all."""
    temporary = f"{out}.new"
    try:
        with tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as archive:
            for name in sorted(bundle.files):
                archive.addfile(_member(name, bundle.files[name]), io.BytesIO(bundle.files[name]))
        os.rename(temporary, out)
    finally:
        with suppress(FileNotFoundError):
            os.remove(temporary)


def _member(name: str, data: bytes) -> tarfile.TarInfo:
    """Nothing in it says when, where or by whom it was made."""
    member = tarfile.TarInfo(f"bundle/{name}")
    member.size, member.mtime, member.mode = len(data), 0, 0o644
    return member


def _write_folder(bundle: Bundle, folder: Path) -> None:
    for name in sorted(bundle.files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bundle.files[name])
