"""Verification: asks the employer whether the income is what the applicant says."""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields, amount, cents

from . import world

verification = world.system("verification-service")


@verification.action("POST /verifications")
def verify_employment(input: Fields, call: Call) -> dict[str, Any]:
    """An applicant `{employer, income, …}` → `{employer, monthlyIncome}`."""
    income = cents(input["income"])
    if not input["employer"] or income <= 0:
        message = "an income needs an employer who pays it"
        raise ServiceError("verification-service.no-income", message, status=422, retryable=False)
    return {"employer": input["employer"], "monthlyIncome": amount(round(income / 12))}
