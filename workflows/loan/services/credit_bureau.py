"""The credit bureau: knows three people."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields

from . import world

credit_bureau = world.system("credit-bureau")


@credit_bureau.action("POST /credit-checks")
def check_credit(input: Fields, call: Call) -> dict[str, Any]:
    """An applicant `{ssn, …}` → `{score}`, or `credit-bureau.no-file`."""
    row = call.one("SELECT score FROM credit_files WHERE ssn = ?", input["ssn"])
    if row is None:
        message = f"there is no file on {input['ssn']}"
        raise ServiceError("credit-bureau.no-file", message, status=404, retryable=False)
    return {"score": row[0]}
