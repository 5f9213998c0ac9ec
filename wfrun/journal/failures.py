"""What can go wrong with a journal, in words for people. Each function makes the error; the caller raises it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.errors import ConflictError, JournalError, NotFoundError

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.journal.home import Home
    from wfrun.journal.scan import Finding

_RESUME = "free space or repair the disk, then resume: what is valid is copied to a new file first"


def damaged(path: str, finding: Finding) -> JournalError:
    where = f"{path}: byte {finding.offset}, record {finding.seq}"
    hint = "nothing was changed; restore the file from a backup"
    return JournalError("journal.damaged", f"{where}: {finding.message}", hint=hint)


def of_another(path: str, execution_id: str, first: Record) -> JournalError:
    message = f"{path}: record 1 belongs to execution {first.get('execution')!r}, not to {execution_id!r}"
    return JournalError("journal.damaged", message, hint="nothing was changed; restore the file from a backup")


def io_failed(path: str, done: str, error: OSError) -> JournalError:
    return JournalError("journal.io", f"{path} cannot be {done}: {error.strerror or error}", hint=_RESUME)


def failed_elsewhere(path: str) -> JournalError:
    message = f"{path} cannot be appended to: somebody else's write to it failed"
    return JournalError("journal.io", message, hint=_RESUME)


def not_as_read(path: str) -> JournalError:
    message = f"{path} is not the file that was read before: something other than wfrun changed it"
    return JournalError("journal.damaged", message, hint="run the command again")


def broken_off(path: str) -> JournalError:
    return JournalError("journal.stopped", f"a turn on {path} was broken off", hint="open the execution again")


def unknown(home: Home, execution_id: str) -> NotFoundError:
    message = f"there is no execution {execution_id} in {home.path}"
    return NotFoundError("execution.unknown", message, hint="wfrun list shows what there is")


def exists(execution_id: str) -> ConflictError:
    return ConflictError("execution.exists", f"there is an execution {execution_id} already")


def held(execution_id: str, records: Sequence[Record]) -> ConflictError:
    driver = next((record for record in reversed(records) if record["type"] == "driver.started"), None)
    who = f"process {driver['pid']} on {driver['host']} (epoch {driver['epoch']})" if driver else "another process"
    hint = "wait for it, or end it; what it has done so far is kept"
    return ConflictError("execution.held", f"{execution_id} is being run by {who}", hint=hint)
