"""What people have done about a step: repairs that it was part of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wfrun.views.explain.facts import instance_of
from wfrun.views.explain.reasons import Reason, reason
from wfrun.views.iterations import split_instance
from wfrun.views.steps import COMPENSATE
from wfrun.views.words import repair_words

if TYPE_CHECKING:
    from wfrun.core.events import Record


def repairs_of(records: Sequence[Record], step: str | None) -> Iterator[Reason]:
    """The repairs that named a step or took back what it had done; all of them for None."""
    about: dict[int, str] = {}
    for record in records:
        about[record["seq"]] = instance_of(record).removeprefix(COMPENSATE)
        if record["type"] != "repair.requested":
            continue
        if step is None or any(_is_of(each, step) for each in _touched(record, about)):
            yield _repaired(record)


def _touched(request: Record, about: dict[int, str]) -> Iterator[str]:
    yield request.get("step", "")
    yield from (about[seq] for seq in request["dropped"] if about.get(seq))


def _is_of(instance: str, step: str) -> bool:
    return step == instance or step == split_instance(instance)[0]


def _repaired(request: Record) -> Reason:
    step = request.get("step")
    because = f": {request['reason']}" if request["reason"] else ""
    why = f"{request['by']} {repair_words(request['action'])}{f' {step}' if step else ''}{because}"
    values: dict[str, Any] = {key: request[key] for key in ("action", "by", "reason", "value") if key in request}
    return reason(step, "repaired", why, request["at"], values)


def in_time(reasons: Sequence[Reason], amends: Sequence[Reason]) -> list[Reason]:
    """Both together, each repair before what came after it."""
    found = list(reasons)
    for amend in amends:
        later = (at for at, each in enumerate(found) if (each["at"] or "") > (amend["at"] or ""))
        found.insert(next(later, len(found)), amend)
    return found
