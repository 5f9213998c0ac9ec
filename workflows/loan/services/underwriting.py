"""Underwriting: is the loan safe, for the bank and for the one who has to pay it back?"""

from typing import Any

from wfrun import ServiceError
from wfrun.sandbox import Call, Fields, cents

from . import world

underwriting = world.system("underwriting-service")


@underwriting.action("POST /assessments")
def underwrite(input: Fields, call: Call) -> dict[str, Any]:
    """`{loanAmount, score, value, monthlyIncome}` → `{loanToValue, risk}`, or `underwriting-service.too-much`."""
    loan, value, income = (cents(input[name]) for name in ("loanAmount", "value", "monthlyIncome"))
    if loan > value * 0.9 or loan > income * 60:
        message = f"{input['loanAmount']} is too much for a property of {input['value']} or for this income"
        raise ServiceError("underwriting-service.too-much", message, status=422, retryable=False)
    return {"loanToValue": round(loan / value, 3), "risk": "low" if input["score"] >= 720 else "medium"}
