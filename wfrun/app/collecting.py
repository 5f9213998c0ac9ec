"""Removing executions that are over, and what nobody names any more.

An execution goes together with those that it has run as steps, once all of them are over. First their heads are put on
the list of removed executions, then their journals are removed, parents first: whoever dies in between is finished by
the next run, which begins with what is on the list and still there. What is stored beside journals goes last, if none
of those that are left names it and nobody has stored it lately: a definition is stored before the execution starts.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import NamedTuple, TypedDict

from wfrun.app.evidence import BLOBS, DEFINITIONS
from wfrun.app.standing import standstill
from wfrun.core.events import Record
from wfrun.core.instants import parse_instant
from wfrun.errors import JournalError
from wfrun.journal.crash import reach
from wfrun.journal.home import STORED_AGAIN_S, Home
from wfrun.journal.journal import Journal
from wfrun.journal.removed import REMOVED, Removal, RemovedList
from wfrun.journal.removing import remove_journal
from wfrun.journal.scan import scan
from wfrun.views.index.writer import IndexWriter

# What is removed if nothing else is said, and what only if somebody asks for it: it can be taken up again.
OVER = ("completed", "compensated", "cancelled")
ON_REQUEST = ("failed", "needs-attention", "paused")
# Far longer than anybody takes from storing a file to naming it, or relies on having stored it.
LATELY_S = 6 * STORED_AGAIN_S
# Families that are listed with one sync.
AT_ONCE = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Removed(TypedDict):
    """An execution that is gone, or would be; `endedAt` is when it came to a stand."""

    execution: str
    workflow: str
    status: str
    endedAt: str
    records: int


class Collected(TypedDict):
    """`files` are definitions, blobs and cache files that nobody names, by their places in the state directory."""

    dryRun: bool
    executions: list[Removed]
    files: list[str]


class _Over(NamedTuple):
    """An execution that has come to a stand, as it was read. `children` are those that it has run as steps."""

    removal: Removal
    ended: datetime
    parent: str | None
    children: list[str]


def collect(home: Home, before: datetime, statuses: Collection[str], *, dry_run: bool = False) -> Collected:
    """Remove what came to one of these ends before an instant. JournalError."""
    home.find(f"{home.path}/{REMOVED}")  # StateError if nothing here can be trusted
    if not os.path.isdir(home.path):
        return {"dryRun": dry_run, "executions": [], "files": []}
    if dry_run:
        removals = [removal for family in _families(home, before, statuses) for removal in family]
        files = _unnamed(home, {removal["execution"] for removal in removals})
        return _collected(removals, files, dry_run=True)
    with home.locked(home.path):
        index = IndexWriter(home, partial(Journal.read, home))
        listed = RemovedList(home)
        removals = [*_finish(home, listed, index)]
        families = _families(home, before, statuses)
        while some := list(islice(families, AT_ONCE)):
            listed.add(removal for family in some for removal in family)
            reach("gc.listed")
            for family in some:
                removals += _remove(home, family, index)
        index.close()
        files = _sweep(home)
    return _collected(removals, files, dry_run=False)


def _collected(removals: Iterable[Removal], files: Iterable[str], *, dry_run: bool) -> Collected:
    told: list[Removed] = [
        {
            "execution": each["execution"],
            "workflow": each["workflow"],
            "status": each["status"],
            "endedAt": each["endedAt"],
            "records": each["records"],
        }
        for each in removals
    ]
    return {"dryRun": dry_run, "executions": told, "files": sorted(files)}


# ---- which


def _families(home: Home, before: datetime, statuses: Collection[str]) -> Iterator[list[Removal]]:
    """Executions that are over, each followed by those that it has run."""
    for execution in sorted(home.ids()):
        root = _over(home, execution)
        if root is None or root.removal["status"] not in statuses:
            continue
        if root.parent is not None and home.exists(root.parent):
            continue  # it goes with its parent
        family = _family(home, root, {*statuses, *OVER, "failed"})
        if family and max(each.ended for each in family) < before:
            yield [each.removal for each in family]


def _family(home: Home, root: _Over, statuses: Collection[str]) -> list[_Over]:
    """The execution and all below it; nothing if one of them is not over."""
    family = [root]
    for child in root.children:
        if not home.exists(child):
            continue  # it was only about to be started
        over = _over(home, child)
        below = _family(home, over, statuses) if over and over.removal["status"] in statuses else []
        if not below:
            return []
        family += below
    return family


def _over(home: Home, execution: str) -> _Over | None:
    """An execution that has come to a stand; None for any other, and for one that cannot be read."""
    try:
        found = scan(home.read_file(home.journal_path(execution)) or b"")
    except (FileNotFoundError, JournalError):
        return None
    records = found.records
    status = standstill(records) if records and found.damage is None else None
    if status is None or records[0].get("execution") != execution:
        return None
    ended = next(each["at"] for each in reversed(records) if each["type"] in ("execution.ended", "execution.paused"))
    removal: Removal = {
        "execution": execution,
        "workflow": records[0]["workflow"],
        "status": status,
        "startedAt": records[0]["at"],
        "endedAt": ended,
        "records": len(records),
        "sha256": found.head.prev,
    }
    return _Over(removal, parse_instant(ended), records[0].get("parent", {}).get("execution"), _children(records))


def _children(records: Iterable[Record]) -> list[str]:
    started = (record for record in records if record["type"] == "child.started" and not record["detach"])
    return list(dict.fromkeys(record["child"] for record in started))


# ---- removing


def _remove(home: Home, family: list[Removal], index: IndexWriter) -> Iterator[Removal]:
    """A family of which the first one, its root, is driven or has gone on meanwhile stays as it is."""
    for removal in family:
        if not remove_journal(home, removal["execution"], removal["sha256"]):
            return
        index.removed(removal["execution"])
        yield removal


def _finish(home: Home, listed: RemovedList, index: IndexWriter) -> Iterator[Removal]:
    """What somebody was about to remove who died: it is on the list, still as it was, and nobody's child any more."""
    for record in listed.records:
        execution = record["execution"]
        if not home.exists(execution):
            continue
        over = _over(home, execution)
        if over is None or over.removal["sha256"] != record["sha256"]:
            continue
        orphan = over.parent is None or not home.exists(over.parent)
        if orphan and remove_journal(home, execution, record["sha256"]):
            index.removed(execution)
            yield over.removal


# ---- what is stored beside journals


def _sweep(home: Home) -> list[str]:
    """Remove the definitions, blobs and cache files that nobody names. Their places."""
    gone = []
    for name in _unnamed(home, set()):
        # Somebody may have stored it again while the journals were read. A cache knows no locks.
        turn = nullcontext() if _is_cache(name) else home.locked(f"{home.path}/{os.path.dirname(name)}")
        with turn, suppress(FileNotFoundError):
            if _is_cache(name) or _is_old(home, name):
                home.files.remove(f"{home.path}/{name}")
                gone.append(name)
                reach("gc.swept")
    return gone


def _unnamed(home: Home, removed: Collection[str]) -> list[str]:
    """Files named after a hash that stands in no journal but those removed, and that were not stored lately."""
    stored = [name for name in _stored(home) if _is_cache(name) or _is_old(home, name)]
    unknown = {digest for name in stored if (digest := _digest(name))}
    for execution in home.ids():
        if not unknown:
            break
        if execution not in removed:
            text = (home.read_file(home.journal_path(execution)) or b"").decode(errors="replace")
            unknown -= {digest for digest in unknown if digest in text}
    return [name for name in stored if _digest(name) in unknown]


def _stored(home: Home) -> Iterator[str]:
    for folder in (DEFINITIONS, BLOBS, os.path.basename(home.cache)):
        with suppress(FileNotFoundError):
            yield from (f"{folder}/{name}" for name in sorted(os.listdir(f"{home.path}/{folder}")) if _digest(name))


def _digest(name: str) -> str | None:
    match = _DIGEST.match(os.path.basename(name))
    return None if match is None else match[0]


def _is_cache(name: str) -> bool:
    return not name.startswith((f"{DEFINITIONS}/", f"{BLOBS}/"))


def _is_old(home: Home, name: str) -> bool:
    """Whether it was stored, and stored again, long ago. Whoever does the latter changes the time of its mode."""
    return time.time() - os.stat(f"{home.path}/{name}").st_ctime > LATELY_S
