"""Which times an execution waits for without being driven. The engine and all views go by this one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms

if TYPE_CHECKING:
    from wfrun.core.events import Record

# A wait for a time that is at least so long does not keep an execution running: it waits, as for a person.
LONG_MS = 30_000

# Of a `wait` step, and between two iterations. A retry is no such wait: its step is still being tried.
WAITS = ("wait", "delay")


def is_long_wait(timer: Record) -> bool:
    """Whether the `timer.started` record is of a wait that takes long."""
    return timer["reason"] in WAITS and elapsed_ms(timer["at"], timer["due"]) >= LONG_MS
