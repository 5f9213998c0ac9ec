"""What `wfrun emit` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.cli.text import safe
from wfrun.views.words import count_words

if TYPE_CHECKING:
    from wfrun.core.events import EventData


def emitted_lines(event: EventData, reached: list[str]) -> list[str]:
    """Whom the event has reached now."""
    name = f"event {safe(event['type'])} ({safe(event['id'])})"
    if not reached:
        return [
            f"{name}: nobody waits for it. No execution under way has a step for it, or all have had it; it is not kept"
        ]
    return [f"{name}: reached {count_words(len(reached), 'execution')}: {', '.join(reached)}"]
