from typing import Annotated

from wfrun.cli.declare import AsJson, Home, Opt
from wfrun.errors import JournalError

EXAMPLE = "wfrun doctor"


def command(
    fix: Annotated[bool, Opt(("--fix",), "Do what is safe: modes, leftovers, the index.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Look for all that can be wrong with the state directory and its disk. Exits 6 if there are errors."""
    from wfrun.app import reading
    from wfrun.app.doctoring import doctor
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.doctor import report_lines

    report = doctor(reading.open_home(home), fix=fix)
    if as_json:
        print_json(report)
    else:
        print("\n".join(report_lines(report)))
    open_errors = [each for each in report["findings"] if each["severity"] == "error" and not each["fixed"]]
    return JournalError.exit_code if open_errors else 0
