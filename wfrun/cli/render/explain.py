"""Reasons for people: when, what, why, and below it the values that it was decided on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfrun.cli.render.errors import cut
from wfrun.cli.text import paint, safe
from wfrun.views.instants import clock
from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.views.explain import Explanation
    from wfrun.views.explain.reasons import Reason

VALUE_CHARACTERS = 200
_COLOURS = {
    **dict.fromkeys(("failed", "not-undone", "refused", "timed-out", "paused", "interrupted"), "red"),
    **dict.fromkeys(("skipped", "not-taken", "pending", "not-reached"), "dim"),
    **dict.fromkeys(("waits", "asked", "retried", "repaired"), "yellow"),
    "undone": "magenta",
}


def explanation_lines(found: Explanation) -> Iterator[str]:
    about = (
        f"{safe(found['execution'])} · {safe(found['workflow'])} (version {safe(found['version'])}) · {found['status']}"
    )
    yield paint("bold", about)
    if found["step"] is not None:
        yield f"{safe(found['step'])} · {found['stepStatus']}" if found["stepStatus"] else safe(found["step"])
    yield ""
    for reason in found["reasons"]:
        yield from _lines(reason, found["step"])


def _lines(reason: Reason, asked: str | None) -> Iterator[str]:
    about = "" if _names_itself(reason, asked) else f"{safe(reason['step'])}: "
    when = f"  {paint('dim', clock(reason['at']))}" if reason["at"] else ""
    yield f"  {paint(_COLOURS.get(reason['what'], 'green'), reason['what'])}{when}  {about}{safe(reason['why'])}"
    for name, value in reason["values"].items():
        if (name.startswith("$") or name in _SHOWN) and value not in (None, {}):
            written = cut(json.dumps(value, ensure_ascii=False, sort_keys=True), VALUE_CHARACTERS)
            yield f"      {safe(name)} = {safe(written)}"


def _names_itself(reason: Reason, asked: str | None) -> bool:
    """Whether it is clear without a word more which step it is about."""
    step = reason["step"]
    return (
        step is None
        or reason["what"] == "repaired"
        or step in (asked, f"{COMPENSATE}{asked}")
        or reason["why"].startswith(step)
    )


# Besides the operands of conditions, what the words do not tell.
_SHOWN = ("input", "data")
