from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Services

EXAMPLE = "wfrun validate order.yaml"


def command(
    workflow: Annotated[str, Arg("Workflow file.", "WORKFLOW")], services: Services = None, as_json: AsJson = False
) -> int:
    """Check a workflow without running it. Every problem is shown with its line and what to do; exits 3 on errors."""
    from wfrun.app import authoring
    from wfrun.cli.invoke import print_json, problem_data, problem_text
    from wfrun.cli.text import safe
    from wfrun.errors import InvalidError

    problems = authoring.validate(workflow, services=services)
    wrong = dict.fromkeys(problem.place.file or workflow for problem in problems if problem.severity == "error")
    valid = not wrong
    if as_json:
        print_json({"workflow": workflow, "valid": valid, "problems": [*map(problem_data, problems)]})
    else:
        for problem in problems:
            print(problem_text(problem))
        for file in wrong or [workflow]:
            print(f"{safe(file)}: {'valid' if valid else 'not valid'}")
    return 0 if valid else InvalidError.exit_code
