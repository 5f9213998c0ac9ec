"""Documents: the contract, ready to be signed."""

from typing import Any

from wfrun.sandbox import Call, Fields, cents

from . import world

documents = world.system("document-service")


@documents.action("POST /documents")
def generate_loan_docs(input: Fields, call: Call) -> dict[str, Any]:
    """`{reference, applicant: {name, …}, loanAmount}` → `{documentId}`."""
    row = (input["reference"], input.object("applicant")["name"], cents(input["loanAmount"]), call.now)
    call.db.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", row)
    return {"documentId": f"doc-{input['reference']}"}
