"""Appraisal: what a property is worth. Houses with a garden are worth more."""

from typing import Any

from wfrun.sandbox import Call, Fields

from . import world

appraisal = world.system("appraisal-service")


@appraisal.action("POST /appraisals")
def appraise(input: Fields, call: Call) -> dict[str, Any]:
    """`{address}` → `{value}`."""
    return {"value": 480_000 if "garden" in input["address"].lower() else 350_000}
