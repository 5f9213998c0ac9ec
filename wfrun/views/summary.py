"""One line for `list`: what remains of a status when many executions are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.views.model import BriefView, Summary


# Where the name of the workflow should stand, if the journal cannot be read. No workflow can be called so.
UNREADABLE = "?"


def summary_of(view: BriefView) -> Summary:
    waiting = [name for task in view["tasks"] for name in assignee_names(task["assignee"])]
    return {
        "execution": view["execution"],
        "workflow": view["workflow"],
        "version": view["version"],
        "status": view["status"],
        "startedAt": view["startedAt"],
        "endedAt": view["endedAt"],
        "progress": view["progress"],
        "error": view["error"]["type"] if view["error"] else None,
        "waitingFor": list(dict.fromkeys(waiting)),
    }
