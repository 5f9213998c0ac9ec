from wfrun.cli.commands.repairs import By, Reason, Step
from wfrun.cli.declare import AsJson, Execution, Home, Quiet, Services

EXAMPLE = "wfrun fail k7m2 process-payment --reason 'the bank knows nothing of it'"


def command(
    execution: Execution,
    step: Step,
    by: By = None,
    reason: Reason = "",
    services: Services = None,
    home: Home = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Have a step fail whose call was lost with its runner (onCrash: ask). What it may have done is undone."""
    from wfrun.app import answering, reading
    from wfrun.cli.commands.answers import answer
    from wfrun.cli.values import current_user

    place, who = reading.open_home(home), by or current_user()
    return answer(
        lambda way: answering.give_up(place, execution, step, by=who, reason=reason, way=way),
        services,
        command="fail",
        as_json=as_json,
        quiet=quiet,
    )
