"""The systems of loan, expense and notifications."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from wfrun import ServiceError


def refused(example: Any, action: str, fields: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        example.call(action, "refused", fields)
    assert caught.value.retryable is False
    return caught.value.type


@pytest.fixture
def loan(example: Callable[[str], Any]) -> Any:
    return example("loan")


@pytest.mark.parametrize(("file", "score"), [("loan.json", 742), ("rejected.json", 611)])
def test_the_bureau_knows_the_applicants_of_the_examples(loan: Any, file: str, score: int) -> None:
    assert loan.call("credit-bureau.checkCredit", "e1", loan.input(file)["applicant"]) == {"score": score}


def test_the_bureau_does_not_know_everybody(loan: Any) -> None:
    assert refused(loan, "credit-bureau.checkCredit", {"ssn": "000-00-0000"}) == "credit-bureau.no-file"


def test_an_income_is_verified(loan: Any) -> None:
    applicant = loan.input("loan.json")["applicant"]
    verified = loan.call("verification-service.verifyEmployment", "e1", applicant)
    assert verified == {"employer": "Harbour Logistics", "monthlyIncome": 7000.0}
    without = applicant | {"employer": ""}
    assert refused(loan, "verification-service.verifyEmployment", without) == "verification-service.no-income"


LOAN = {"loanAmount": 250_000, "score": 742, "value": 480_000, "monthlyIncome": 7_000}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"loanToValue": 0.521, "risk": "low"}),
        ({"score": 719}, {"loanToValue": 0.521, "risk": "medium"}),
        ({"loanAmount": 420_000, "value": 1_000_000}, {"loanToValue": 0.42, "risk": "low"}),
    ],
)
def test_a_safe_loan_is_underwritten(loan: Any, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert loan.call("underwriting-service.underwrite", "e1", LOAN | changes) == expected


@pytest.mark.parametrize("changes", [{"loanAmount": 432_001}, {"monthlyIncome": 4_000}])
def test_a_loan_that_is_too_much_is_not(loan: Any, changes: dict[str, Any]) -> None:
    assert refused(loan, "underwriting-service.underwrite", LOAN | changes) == "underwriting-service.too-much"


def test_a_garden_is_worth_something(loan: Any) -> None:
    values = [
        loan.call("appraisal-service.appraise", street, {"address": street})["value"]
        for street in ("4 Garden Row, Salem", "88 Mill Street, Salem")
    ]
    assert values == [480_000, 350_000]


def test_funding_goes_out_once_and_comes_back_once(loan: Any) -> None:
    fields = {"reference": "e1", "amount": 250_000, "rate": 5.9}
    assert loan.call("funding-service.disburseFunds", "e1", fields)["transactionId"] == "tx-e1"
    loan.call("funding-service.disburseFunds", "e1", fields)
    assert loan.rows("SELECT amount_cents, rate, reversed_at FROM disbursements") == [(25_000_000, 5.9, None)]
    assert loan.call("funding-service.reverseDisbursement", "e1", {"reference": "e1"}) == {"reversed": 250_000.0}
    loan.call("funding-service.reverseDisbursement", "e2", {"reference": "e2"})
    late = refused(loan, "funding-service.disburseFunds", fields | {"reference": "e2"})
    assert late == "funding-service.undone"


def test_paper_and_letters(loan: Any) -> None:
    applicant = loan.input("loan.json")["applicant"]
    made = {"reference": "e1", "applicant": applicant, "loanAmount": 250_000}
    document = loan.call("document-service.generateLoanDocs", "e1", made)["documentId"]
    signed = {"reference": "e1", "signer": applicant["name"], "documentId": document}
    loan.call("signature-service.collectSignature", "e1", signed)
    assert loan.rows("SELECT signer, document FROM signatures") == [("Ana Silva", "doc-e1")]
    loan.call(
        "email-service.sendFundingEmail", "e1", {"reference": "e1", "to": "a@example.com", "transaction": "tx-e1"}
    )
    loan.call("email-service.sendRejectionEmail", "e2", {"reference": "e2", "to": "b@example.com"})
    assert loan.rows("SELECT recipient, subject FROM outbox ORDER BY reference") == [
        ("a@example.com", "Your loan is on its way: tx-e1"),
        ("b@example.com", "About your application"),
    ]


@pytest.fixture
def expense(example: Callable[[str], Any]) -> Any:
    return example("expense")


@pytest.mark.parametrize("file", ["expense.json", "small.json"])
def test_the_claims_of_the_examples_are_within_the_policy(expense: Any, file: str) -> None:
    claim = expense.input(file)
    checked = expense.call("policy.checkExpense", "e1", {"category": claim["category"], "amount": claim["amount"]})
    assert checked["amount"] == claim["amount"] <= checked["limit"]


@pytest.mark.parametrize(
    "claim",
    [
        {"category": "meals", "amount": 200.01},
        {"category": "meals", "amount": 0},
        {"category": "meals", "amount": -1},
        {"category": "yacht", "amount": 1},
    ],
)
def test_a_claim_outside_the_policy_is_refused(expense: Any, claim: dict[str, Any]) -> None:
    assert refused(expense, "policy.checkExpense", claim) == "policy.violation"


def test_a_claim_is_paid_once_and_taken_back_once(expense: Any) -> None:
    fields = {"reference": "e1", "employee": "sam", "amount": 412.80}
    assert expense.call("payments.reimburse", "e1", fields) == {"paymentId": "pay-e1", "amount": 412.8}
    expense.call("payments.reimburse", "e1", fields)
    assert expense.rows("SELECT employee, amount_cents FROM payments") == [("sam", 41280)]
    assert expense.call("payments.reversePayment", "e1", {"reference": "e1"}) == {"reversed": 412.8}
    assert expense.call("payments.reversePayment", "e2", {"reference": "e2"}) == {"reversed": 0}


CHANNELS = ["email.sendEmail", "sms.sendSms", "push.sendPush"]


def test_three_messages_at_once_take_as_long_as_one(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    notifications = example("notifications")
    monkeypatch.setenv("WFRUN_FAIL", "email=slow:400,sms=slow:400,push=slow:400")
    start = time.monotonic()
    fields = {"reference": "e1", "to": "maria", "text": "hello"}
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda action: notifications.call(action, "e1", fields), CHANNELS))
    assert 0.4 <= time.monotonic() - start < 0.8
    assert notifications.rows("SELECT channel FROM messages ORDER BY channel") == [("email",), ("push",), ("sms",)]


def test_a_message_takes_two_seconds_until_told_otherwise(example: Callable[[str], Any]) -> None:
    told = example("notifications").rows("SELECT target, fault FROM faults")
    assert told == [("email", "slow:2000"), ("sms", "slow:2000"), ("push", "slow:2000")]
