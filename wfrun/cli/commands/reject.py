from wfrun.cli.commands.decide import As, Comment, Data, DataFile, NoResume, decide
from wfrun.cli.declare import AsJson, Home, Quiet, Services, TaskId

EXAMPLE = "wfrun reject k7m2x9qd/manager-approval --comment 'the income is not proven'"


def command(
    task: TaskId,
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
    """Refuse a task and drive its execution on. Unless the workflow says otherwise, its step fails: task.rejected."""
    return decide(task, "rejected", data, data_file, comment, by, no_resume, services, home, as_json, quiet)
