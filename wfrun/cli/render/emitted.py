"""What `wfrun emit` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.cli.text import safe

if TYPE_CHECKING:
    from wfrun.core.events import EventData


def emitted_lines(event: EventData, reached: list[str]) -> list[str]:
    """Whom the event has reached now."""
    name = f"event {safe(event['type'])} ({safe(event['id'])})"
    if not reached:
        return [f"{name}: no execution listens for it that has not had it, so it is kept nowhere"]
    return [f"{name}: reached {len(reached)} execution{'s' * (len(reached) > 1)}: {', '.join(reached)}"]
