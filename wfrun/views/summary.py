"""One line for `list`: what remains of a status when many executions are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.views.model import BriefView, ChildView, Summary


# Where the name of the workflow should stand, if the journal cannot be read. No workflow can be called so.
UNREADABLE = "?"


def _is_waited_for(child: ChildView) -> bool:
    return not child["detached"] and child["status"] in (None, "running", "waiting", "interrupted", "paused")


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
        "events": list(dict.fromkeys(event for wait in view["waits"] for event in wait["events"])),
        "until": min((wait["until"] for wait in view["waits"] if wait["until"]), default=None),
        "unknown": [call["step"] for call in view["unknown"]],
        "children": [child["execution"] for child in view["children"] if _is_waited_for(child)],
        "listens": view["listens"],
        "parent": view["parent"]["execution"] if view["parent"] else None,
        "initiator": view["initiator"],
    }
