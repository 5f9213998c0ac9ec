"""What a repair would do, or is about to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, safe, safe_json
from wfrun.core.repair import ANEW
from wfrun.views.instants import clock
from wfrun.views.words import count_words

if TYPE_CHECKING:
    from wfrun.app.repairing import Preview
    from wfrun.core.events import Event

SHOWN = 8


def preview_line(preview: Preview) -> str:
    """All of it on one line: what is undone, and then begun again."""
    waits = preview["action"] == "compensate"
    named = [
        ("undoing", preview["undo"]),
        ("running again", [] if waits else preview["again"]),
        ("keeping", preview["kept"] if preview["undo"] or not preview["setAside"] else []),
        ("resuming", [*preview["children"], *preview["parents"]]),
    ]
    parts = [f"taking back {told}" for told in _demands(preview)]
    parts += [f"{doing} {_few(names)}" for doing, names in named if names]
    parts += ["granting its whole timeout anew"] if preview["deadline"] == ANEW else []
    aside = count_words(len(preview["setAside"]), "record")
    parts += [f"setting {aside} aside"] if preview["setAside"] else []
    return f"{_head(preview)}: {'; '.join(parts) or 'going on from where it stopped'}"


def answer_line(command: str, execution: str, facts: Sequence[Event]) -> str:
    """What somebody has said of these calls and waits, on one line."""
    steps = dict.fromkeys(_about(fact) for fact in facts)
    return f"{execution}: {command} {_few(list(steps))}: {_COMES[facts[0]['type']]}"


def _about(fact: Event) -> str:
    if fact["type"] == "timer.fired":
        return fact["timer"].rpartition("!")[0].partition("#")[0]
    return str(fact.get("step", ""))


_COMES = {
    "step.completed": "recording what the lost call has given; going on",
    "step.failed": "the lost call counts as failed; what it may have done is not known",
    "step.retried": "calling again what was lost, with the same key",
    "timer.fired": "waiting no longer",
}


def preview_lines(preview: Preview) -> list[str]:
    """The same for somebody who wants to look first."""
    later = ", once it is resumed" if preview["action"] == "compensate" else ""
    rows = [
        ("Would be taken back", "; ".join(_demands(preview))),
        ("Would be recorded", _values(preview)),
        ("Would be set aside", _aside(preview)),
        ("Would be undone", _few(preview["undo"])),
        (f"Would run again{later}", _few(preview["again"])),
        ("Would be kept", _few(preview["kept"])),
        ("Would be resumed", _few([*preview["children"], *preview["parents"]])),
        ("Timeout of it all", _timeout(preview["deadline"])),
    ]
    told = [[Cell(head, "dim"), Cell(text)] for head, text in rows if text]
    moves = preview["setAside"] or preview["undo"] or preview["again"]
    lines = [*columns(told), *([] if moves else ["It would go on from where it stopped."])]
    return [f"{_head(preview)} (nothing has been written)", "", *lines]


def _head(preview: Preview) -> str:
    step = f" {safe(preview['step'])}" if preview["step"] else ""
    to = " back to" if step and preview["action"] == "compensate" else ""
    return f"{preview['execution']}: {preview['action']}{to}{step}"


def _demands(preview: Preview) -> list[str]:
    """What somebody had wanted of the execution, and when."""
    words = {"cancel": "the cancellation by", "compensate": "the undoing asked for by"}
    return [f"{words[each['what']]} {safe(each['by'])} of {clock(each['at'])}" for each in preview["takesBack"]]


def _values(preview: Preview) -> str:
    """What would be given to the step, or would be what it has given."""
    of = "input" if preview["action"] == "set-input" else "output"
    return ", ".join(f"{of} {safe_json(json.dumps(each, ensure_ascii=False))}" for each in preview["values"])


def _timeout(deadline: str | None) -> str:
    if deadline is None:
        return ""
    return "all of it anew, for it has passed" if deadline == ANEW else f"{clock(deadline)}, as before"


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
