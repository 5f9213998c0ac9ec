"""What a repair would do, and the record that sets it going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wfrun.core.expression import Missing
from wfrun.core.repair_refusals import Wish
from wfrun.errors import Problem

if TYPE_CHECKING:
    from wfrun.core.events import RepairRequested

ANEW = "anew"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a repair would do. It is refused if there are `reasons`.

    `dropped` are the numbers of the records that count no more, `undo` the instances that are undone first, in this
    order, `lost` those that nobody wants any more once it goes on, which are undone then, `again` those that are begun
    anew, or go on, as far as is known now, and `kept` those that have run and stay as they are. `deadline` is the
    instant at which the whole workflow's `timeout` stays, `ANEW` if it had passed, so that all of it is granted once
    more, None without one. `children` are the executions that it
    begins or waits for at once, whatever else happens, by the steps that they are.
    """

    wish: Wish
    dropped: tuple[int, ...] = ()
    undo: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    deadline: str | None = None
    children: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[Problem, ...] = ()

    def request(self, by: str, reason: str = "") -> RepairRequested:
        """The fact that sets the repair going. To be appended under the lock under which it was proposed."""
        wish = self.wish
        request: RepairRequested = {
            "type": "repair.requested",
            "action": wish.action,
            "by": by,
            "reason": reason,
            "dropped": list(self.dropped),
            "undo": list(self.undo),
        }
        if wish.step is not None:
            request["step"] = wish.step
        if not isinstance(wish.value, Missing):
            request["value"] = wish.value
        if wish.keep:
            request["keep"] = True
        if wish.replacement is not None:
            request["definition"] = wish.replacement.document.sha256
        return request
