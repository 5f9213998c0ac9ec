from wfrun.cli.commands.decide import As, Comment, Data, DataFile, Decision, NoResume, decide
from wfrun.cli.declare import AsJson, Home, Quiet, Services, TaskId

EXAMPLE = "wfrun approve k7m2x9qd/manager-approval --data rate=4.2 --comment 'as agreed'"


def command(
    task: TaskId,
    decision: Decision = "approved",
    data: Data = (),
    data_file: DataFile = None,
    comment: Comment = "",
    by: As = None,
    no_resume: NoResume = False,
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Approve a task and drive its execution on. The first decision counts; a later one is told so."""
    return decide(task, decision, data, data_file, comment, by, no_resume, services, home, as_json, quiet)
