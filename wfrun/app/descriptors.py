"""How many executions can be driven at a time with the files that this process may have open."""

from __future__ import annotations

import resource

# What one execution has open: its journal, and while it calls a command, three pipes and the process itself.
PER_EXECUTION = 5
# The loop, the index, the interpreter's own, modules that services import.
BESIDES = 64


def affordable(executions: int) -> int:
    """How many of so many executions can be driven at a time. As far as it is needed, the soft limit is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _raised(_needed(executions), soft, hard)
    return executions if limit == resource.RLIM_INFINITY else min(executions, max(1, _room(limit)))


def _needed(executions: int) -> int:
    # A quarter of the limit is for the locks of the state directory.
    return (executions * PER_EXECUTION + BESIDES) * 4 // 3 + 1


def _room(limit: int) -> int:
    return (limit - limit // 4 - BESIDES) // PER_EXECUTION


def _raised(needed: int, soft: int, hard: int) -> int:
    """The soft limit, raised to what is needed where that is allowed."""
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return soft
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # the system has another limit besides
        return soft
    return wanted
