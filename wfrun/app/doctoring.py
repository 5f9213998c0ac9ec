"""What is wrong with a state directory, and with the machine under it: each finding with what to do, or done.

Nothing is written unless it is asked for, and then only what cannot take anything away that anybody needs: modes,
leftovers of writers that died, and the index.
"""

from __future__ import annotations

import os
import re
import stat as modes
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypedDict

from wfrun import __version__
from wfrun.app.auditing import verify
from wfrun.app.descriptors import affordable
from wfrun.app.evidence import of_home
from wfrun.app.executions import INDEX, index_of
from wfrun.core.values import canonical
from wfrun.errors import WfrunError
from wfrun.journal.driver import is_driven
from wfrun.journal.home import JOURNAL, Home, is_id
from wfrun.journal.journal import Journal
from wfrun.journal.marks import FAILED
from wfrun.journal.mounts import VOLATILE, file_system, is_remote
from wfrun.views.index.rows import fold_row
from wfrun.views.index.writer import rebuild

LEAST_FREE = 256 * 2**20
LEAST_FREE_NAMES = 10_000
# So many executions at a time should be possible without a word.
AT_ONCE = 50
# Nobody takes longer to put a new file in the place of an old one.
LEFTOVER_S = 3600.0
_NEW = re.compile(r"\.(?P<name>.+)\.new|index\.sqlite\.new(-journal)?")


class Finding(TypedDict):
    """`fix` is what `--fix` does about it, None if nothing; `fixed` is whether it has."""

    code: str
    severity: str
    where: str
    message: str
    hint: str | None
    fix: str | None
    fixed: bool


class Report(TypedDict):
    """`versions` by name; `fileSystem` is None where the system does not tell, `freeBytes` too."""

    home: str
    executions: int
    versions: dict[str, str]
    fileSystem: str | None
    freeBytes: int | None
    findings: list[Finding]


class _Ill(NamedTuple):
    """A finding, with what would help: in words, and done."""

    code: str
    severity: str
    where: str
    message: str
    hint: str = ""
    fix: str = ""
    act: Callable[[], object] | None = None


def doctor(home: Home, *, fix: bool = False) -> Report:
    """Look at everything; with `fix`, do what is safe."""
    found = (_treated(ill, fix) for check in _CHECKS for ill in _asked(check, home))
    # What cannot be trusted or read stops several checks.
    findings = list({(each["code"], each["where"]): each for each in reversed(list(found))}.values())[::-1]
    there = os.path.isdir(home.path)
    return {
        "home": home.path,
        "executions": sum(1 for _ in _ids(home)),
        "versions": _versions(),
        "fileSystem": file_system(home.path) or None,
        "freeBytes": _free(os.statvfs(home.path)) if there else None,
        "findings": findings,
    }


def _asked(check: Callable[[Home], Iterator[_Ill]], home: Home) -> Iterator[_Ill]:
    """What a check finds. One that cannot go on, as something cannot be trusted or read, ends with that."""
    try:
        yield from check(home)
    except WfrunError as error:
        yield _Ill(error.code, "error", home.path, error.message, error.hint)
    except OSError as error:
        yield _Ill("state.io", "error", str(error.filename or home.path), f"it cannot be read: {error.strerror}")


def _treated(ill: _Ill, fix: bool) -> Finding:
    fixed = False
    if fix and ill.act is not None:
        try:
            ill.act()
            fixed = True
        except (OSError, WfrunError):
            pass  # it is told as not fixed
    return {
        "code": ill.code,
        "severity": ill.severity,
        "where": ill.where,
        "message": ill.message,
        "hint": ill.hint or None,
        "fix": ill.fix or None,
        "fixed": fixed,
    }


def _ids(home: Home) -> list[str]:
    try:
        return sorted(home.ids())
    except (WfrunError, OSError):
        return []


def _versions() -> dict[str, str]:
    import sqlite3

    system = os.uname()
    return {
        "wfrun": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{system.sysname} {system.release}",
    }


# ---- the machine


def _machine(home: Home) -> Iterator[_Ill]:
    possible = affordable(AT_ONCE)
    if possible < AT_ONCE:
        message = f"only {possible} executions at a time can be driven: this process may not have more files open"
        yield _Ill("limits.files", "warning", "ulimit -n", message, "raise the limit of open files")
    kind = file_system(home.path)
    if is_remote(kind):
        message = f"it lies on {kind}, where locks and syncs may not hold what they promise"
        yield _Ill("disk.network", "error", home.path, message, "use a state directory on a local disk of one machine")
    if kind in VOLATILE:
        message = f"it lies on {kind}, and is gone when the machine starts again"
        yield _Ill("disk.volatile", "warning", home.path, message, "use a state directory on a disk")


def _space(home: Home) -> Iterator[_Ill]:
    if not os.path.isdir(home.path):
        return
    left = os.statvfs(home.path)
    if _free(left) < LEAST_FREE:
        message = f"{_free(left) // 2**20} MiB are free on its disk"
        yield _Ill("disk.space", "warning", home.path, message, "`wfrun gc` removes executions that ended long ago")
    if left.f_files and left.f_favail < LEAST_FREE_NAMES:
        message = f"its disk has room for {left.f_favail} more files"
        yield _Ill("disk.files", "warning", home.path, message, "`wfrun gc` removes executions that ended long ago")


def _free(disk: os.statvfs_result) -> int:
    """Bytes that may still be written by others than the superuser."""
    return disk.f_bavail * disk.f_frsize


# ---- the directory


def _modes(home: Home) -> Iterator[_Ill]:
    """Owner and mode of everything. A journal in flight may be executed, in name."""
    for path in _everything(home):
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        mode = modes.S_IMODE(found.st_mode)
        if not modes.S_ISDIR(found.st_mode) and not modes.S_ISREG(found.st_mode):
            hint = "put the file itself in its place: links are not followed here"
            yield _Ill("state.kind", "error", path, "it is neither a file nor a directory of its own", hint)
        elif found.st_uid != os.geteuid():
            message = f"it belongs to another user (uid {found.st_uid})"
            yield _Ill("state.owner", "error", path, message, f"chown {os.geteuid()} {path}")
        elif mode & 0o077:
            severity = "error" if mode & modes.S_IWOTH else "warning"
            kept = mode & ~0o077
            message = f"others can read or write it (mode {mode:04o})"
            act = partial(os.chmod, path, kept)
            yield _Ill("state.mode", severity, path, message, f"chmod {kept:o} {path}", f"chmod {kept:o}", act)
        elif mode & FAILED and not modes.S_ISDIR(found.st_mode):
            message = "a write to it, or its sync, failed"
            hint = "see to the disk; the next resume copies what is valid to a new file"
            yield _Ill("journal.io", "error", path, message, hint)


def _everything(home: Home) -> Iterator[str]:
    if not os.path.lexists(home.path):
        return
    yield home.path
    for folder, directories, files in os.walk(home.path):
        yield from (f"{folder}/{name}" for name in sorted([*directories, *files]))


def _leftovers(home: Home) -> Iterator[_Ill]:
    """New files that never got the name that they were made for."""
    for path in _everything(home):
        name = os.path.basename(path)
        is_cache = name.startswith(".") and os.path.dirname(path) == home.cache and name != ".lock"
        if not (_NEW.fullmatch(name) or is_cache) or not _is_abandoned(path):
            continue
        hint = "nobody needs it"
        message = "a process died before it had written it"
        yield _Ill("state.leftover", "warning", path, message, hint, "remove it", partial(os.remove, path))


def _is_abandoned(path: str) -> bool:
    try:
        return time.time() - os.lstat(path).st_mtime > LEFTOVER_S
    except FileNotFoundError:
        return False


def _misplaced(home: Home) -> Iterator[_Ill]:
    """Journals where nobody looks for them, and what is none."""
    for path in _everything(home):
        folder, name = os.path.split(path)
        if os.path.dirname(folder) != home.executions or name.startswith("."):
            continue
        execution = name.removesuffix(JOURNAL)
        if not name.endswith(JOURNAL) or not is_id(execution):
            yield _Ill("state.stray", "warning", path, "it is no journal", "move it out of the state directory")
        elif home.journal_path(execution) != path:
            hint = f"it belongs to {home.journal_path(execution)}"
            yield _Ill("state.stray", "error", path, "no command finds this journal here", hint)


# ---- the executions


def _journals(home: Home) -> Iterator[_Ill]:
    """All that `audit verify` finds."""
    for checked in verify(of_home(home, _ids(home), whole=True)):
        for found in checked["findings"]:
            where = found["file"] if found["seq"] is None else f"{found['file']}, record {found['seq']}"
            hint = "the next one who writes seals it" if found["code"] == "journal.torn" else ""
            hint = hint or ("" if found["severity"] == "note" else "restore the file from a backup")
            yield _Ill(found["code"], found["severity"], where, found["message"], hint)


def _runners(home: Home) -> Iterator[_Ill]:
    """Executions that a process was driving which is gone."""
    for row in index_of(home).summaries(driven=partial(is_driven, home)):
        if row["status"] == "interrupted" and row["parent"] is None:
            message = "whoever drove it is gone, and there is something to do"
            hint = f"`wfrun resume {row['execution']}`"
            yield _Ill("execution.interrupted", "warning", row["execution"], message, hint)


def _index(home: Home) -> Iterator[_Ill]:
    """The index against the journals themselves."""
    path = f"{home.path}/{INDEX}"
    if home.find(path) is None:
        return
    known = {row["execution"]: canonical(row) for row in index_of(home).summaries()}
    rows = {execution: fold_row(home, partial(Journal.read, home), execution) for execution in home.ids()}
    told = {execution: canonical(row.summary) for execution, row in rows.items() if row is not None}
    damaged = {execution for execution, row in rows.items() if row is None or row.damaged}
    wrong = sorted(each for each in {*known, *told} - damaged if known.get(each) != told.get(each))
    if wrong:
        message = (
            f"it says other things than the journals do, of {', '.join(wrong[:3])}{', …' if len(wrong) > 3 else ''}"
        )
        act = partial(rebuild, home, partial(Journal.read, home))
        yield _Ill("index.drift", "warning", path, message, "`wfrun reindex` makes it anew", "reindex", act)


_CHECKS = (_machine, _space, _modes, _leftovers, _misplaced, _journals, _runners, _index)
