"""Having others drive an execution, and looking on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from wfrun.app.elsewhere import RemoteHome
from wfrun.app.onward import Outcome, Way
from wfrun.app.standing import view_of
from wfrun.app.starting import first_event, new_id, new_seed, same_start
from wfrun.app.workflows import Workflow
from wfrun.core.values import Json
from wfrun.errors import JournalError
from wfrun.journal.journal import Journal

LOOK_EVERY_S = 0.1


def watch(home: RemoteHome, execution: str, way: Way, note: str = "", history: int = 0) -> Outcome:
    """Until it has ended or waits: for people, events or long times. The first `history` records are not news."""
    seen = 0
    while True:
        try:
            records = Journal.read(home, execution)
        except JournalError as error:
            if not seen or error.code != "temporal.no-worker":
                raise
            continue  # they were there, and are being started again
        for record in records[seen:]:
            way.observer(execution, record, record["seq"] > history)
        seen = len(records)
        view = view_of(home, records, driven=True)
        if view["status"] != "running" and not (way.wait and view["status"] == "waiting"):
            return Outcome(execution, view, note)
        time.sleep(LOOK_EVERY_S)


def run_elsewhere(
    home: RemoteHome,
    workflow: Workflow,
    values: dict[str, Json],
    execution: str | None,
    origin: dict[str, str],
    initiator: str,
    way: Way,
) -> Outcome:
    """Start an execution, or find the one of the same start made before, and look on. Raises ConflictError."""
    definitions = carried(workflow)
    while True:
        id = execution or new_id(home)
        first = first_event(id, workflow, values, origin, initiator, new_seed(home))
        if home.workers.start(dict(first), definitions):
            return watch(home, id, way)
        if execution is not None:
            known = Journal.read(home, id)
            same_start(known[0], first)
            return watch(home, id, way, "it was started before", len(known))


def carried(workflow: Workflow) -> dict[str, Any]:
    """The definitions as they travel: of each the bytes, and the schemas of other files that its input refers to."""
    found: dict[str, Any] = {}
    for document in (workflow.document, *workflow.linked):
        entry = {"file": str(Path(document.file).resolve()), "source": document.source.decode()}
        data: Any = document.data
        if b"$ref" in document.source and "input" in data:
            entry["input"] = data["input"]
        found[document.sha256] = entry
    return found
