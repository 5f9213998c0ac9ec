"""Why an execution, or a step of one, is as it is. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wfrun.app import reading
from wfrun.app.executions import find_execution
from wfrun.errors import WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.core.plan import Plan
    from wfrun.views.explain import Explanation


def explain(home: Home, prefix: str, step: str | None) -> Explanation:
    """Raises NotFoundError for an unknown execution or step, AmbiguousError, JournalError."""
    from wfrun.views.explain import explain, explain_step

    execution = find_execution(home, prefix)
    view, records = reading.status(home, execution), Journal.read(home, execution)
    plan = _plan(home, records)
    return explain(records, view, plan) if step is None else explain_step(records, view, plan, step)


def _plan(home: Home, records: Sequence[Record]) -> Plan | None:
    """The plan that is in force. A definition that cannot be read keeps nobody from what the journal tells."""
    from wfrun.app.in_force import in_force
    from wfrun.app.workflows import stored_plan

    try:
        return stored_plan(home, in_force(records))
    except WfrunError:
        return None
