"""Which engine executions are on, other than this process and its disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.app.elsewhere import RemoteHome

ENGINES = ("local", "temporal")


def open_engine_home() -> RemoteHome:
    """Raises UsageError if there is no such engine, JournalError if it cannot be reached."""
    name = os.environ["WFRUN_ENGINE"]
    if name != "temporal":
        raise UsageError("usage.engine", f"there is no engine {name!r}", hint=f"one of {', '.join(ENGINES)}")
    from wfrun.app.temporal import open_namespace

    return open_namespace()
