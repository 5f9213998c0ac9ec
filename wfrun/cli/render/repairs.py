"""What a repair would do, or is about to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, safe
from wfrun.views.timeline import count_words

if TYPE_CHECKING:
    from wfrun.app.repairing import Preview

SHOWN = 8


def preview_line(preview: Preview) -> str:
    """All of it on one line: what is undone, and then begun again."""
    parts = [f"undoing {_few(preview['undo'])}"] if preview["undo"] else []
    waits = preview["action"] == "compensate"
    parts += [f"running again {_few(preview['again'])}"] if preview["again"] and not waits else []
    parts += [f"resuming {_few(preview['children'])}"] if preview["children"] else []
    aside = count_words(len(preview["setAside"]), "record")
    parts += [f"setting {aside} aside"] if preview["setAside"] else []
    return f"{_head(preview)}: {', '.join(parts) or 'going on from where it stopped'}"


def preview_lines(preview: Preview) -> list[str]:
    """The same for somebody who wants to look first."""
    later = ", once it is resumed" if preview["action"] == "compensate" else ""
    rows = [
        ("Would be set aside", _aside(preview)),
        ("Would be undone", _few(preview["undo"])),
        (f"Would run again{later}", _few(preview["again"])),
        ("Would be resumed", _few(preview["children"])),
    ]
    told = [[Cell(head, "dim"), Cell(text)] for head, text in rows if text]
    lines = columns(told) if told else ["It would go on from where it stopped."]
    return [f"{_head(preview)} (nothing has been written)", "", *lines]


def _head(preview: Preview) -> str:
    step = f" {safe(preview['step'])}" if preview["step"] else ""
    return f"{preview['execution']}: {preview['action']}{step}"


def _aside(preview: Preview) -> str:
    """How many records, and of which steps."""
    if not preview["setAside"]:
        return ""
    steps = dict.fromkeys(record["step"] for record in preview["setAside"] if record["step"])
    about = f": {_few(list(steps))}" if steps else ""
    return f"{count_words(len(preview['setAside']), 'record')}{about}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(safe(name) for name in names[:SHOWN]) + more
