import pytest

from wfrun import ServiceError
from wfrun.sandbox.call import Action
from wfrun.sandbox.faults import KINDS, Fault, parse_fault, parse_faults

SYSTEMS = ["payment", "shipping", "crm"]


def action(name: str, undoes: str | None = None) -> Action:
    return Action("payment", name, "POST", "/", lambda input, call: {}, undoes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("payment=decline", [Fault("payment", "decline")]),
        ("shipping=down:2, crm=slow:500", [Fault("shipping", "down", 0, 2), Fault("crm", "slow", 500)]),
        ("crm=slow:500:3,", [Fault("crm", "slow", 500, 3)]),
        ("payment.refund=timeout", [Fault("payment.refund", "timeout")]),
        ("payment=lost", [Fault("payment", "lost", 0, 1)]),
        ("payment=die:2", [Fault("payment", "die", 0, 2)]),
    ],
)
def test_rules_as_written(text: str, expected: list[Fault]) -> None:
    assert parse_faults(text, SYSTEMS) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("payment=declin", "did you mean 'decline'?"),
        ("paymnt=down", "did you mean 'payment'?"),
        ("warehouse=down", "known: payment, shipping, crm"),
        ("payment", "no fault is called ''"),
        ("payment=down:two", "digits"),
        ("payment=down:-1", "digits"),
        ("payment=down:1:2", "down, and optionally :N"),
        ("payment=slow", "slow:MS, and optionally :N"),
        ("payment=slow:1:2:3", "slow:MS, and optionally :N"),
    ],
)
def test_a_rule_that_could_never_strike_is_a_mistake(text: str, told: str) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_faults(text, SYSTEMS)
    assert caught.value.type == "sandbox.fault"
    assert told in caught.value.message


def test_a_system_means_all_it_does_except_undoing() -> None:
    fault = Fault("payment", "down")
    assert fault.hits(action("charge"), 1)
    assert not fault.hits(action("refund", undoes="charge"), 1)
    assert not Fault("crm", "down").hits(action("charge"), 1)


def test_an_action_means_exactly_that_one() -> None:
    fault = Fault("payment.refund", "down")
    assert fault.hits(action("refund", undoes="charge"), 1)
    assert not fault.hits(action("charge"), 1)


def test_a_count_is_for_the_first_calls_of_a_key() -> None:
    assert [Fault("payment", "down", 0, 2).hits(action("charge"), nth) for nth in (1, 2, 3)] == [True, True, False]


def test_every_kind_can_be_written() -> None:
    for kind in KINDS:
        assert parse_fault("crm", "slow:1" if kind == "slow" else kind, SYSTEMS).kind == kind
