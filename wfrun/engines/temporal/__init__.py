"""The same executions on Temporal: its history drives the fold, its workers perform what the fold asks for.

    workflow     the one workflow that runs every definition
    activities   what it has others do: calls, children to be followed, events to be told
    worker       a process that does both
    client       starting, looking, telling, from outside
    files        the journals of a namespace as files, for whoever reads a state directory

Only these modules import `temporalio`, and nothing imports them but for an execution on Temporal.
"""

from wfrun.errors import UsageError

try:
    import temporalio as _library  # noqa: F401
except ImportError:
    raise UsageError(
        "temporal.missing", "the engine temporal is not installed", hint="pip install 'wfrun[temporal]'"
    ) from None

# The one workflow, and its activities, as they are called in histories: never to be changed.
WORKFLOW = "wfrun"
CALL = "wfrun-call"
FOLLOW = "wfrun-follow"
RECALL = "wfrun-recall"
PUBLISH = "wfrun-publish"
APPEND = "append"
TELL = "tell"
RECORDS = "records"
DEFINITIONS = "definitions"

TASK_QUEUE = "wfrun"

# Search attributes, and the type of each.
ATTRIBUTES = {
    "WfrunWorkflow": "Keyword",
    "WfrunVersion": "Keyword",
    "WfrunStatus": "Keyword",
    "WfrunAssignee": "KeywordList",
    "WfrunListens": "KeywordList",
}


def driver_started(epoch: int, software: str) -> dict[str, object]:
    """The fact that workers drive an execution from here on: which of them, changes from turn to turn."""
    return {"type": "driver.started", "epoch": epoch, "host": "temporal", "pid": 1, "wfrun": software}
