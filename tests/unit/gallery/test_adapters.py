"""The same calls through the adapters that the two services files name: same results, same errors, same state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from wfrun import ServiceError
from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.registry import Services, known_actions

ROOT = Path(__file__).parents[3] / "workflows"
Configs = dict[str, ServiceConfig]


def no_variable(kind: str, name: str) -> str:
    raise AssertionError(f"{kind}.{name} was asked for")


def configs(file: Path, old: str = "", new: str = "") -> Configs:
    entries = YAML(typ="safe", pure=True).load(file.read_text().replace(old, new) if old else file.read_text())
    return {name: ServiceConfig(name, entry, file.parent, no_variable) for name, entry in entries["services"].items()}


@pytest.fixture(params=["python", "http"])
def order(request: pytest.FixtureRequest, serve: Callable[[str], HTTPConnection]) -> Configs:
    if request.param == "python":
        return configs(ROOT / "order" / "order.yaml")
    port = serve("order").port
    return configs(ROOT / "order" / "services.http.yaml", ":8701/", f":{port}/")


def call(name: str, input: Any, step: str = "") -> Call:
    service, action = name.split(".")
    return Call("e1", step or name, 1, f"e1/{step or name}", service, action, input)


def perform(found: Configs, *calls: Call, seconds: float = 20) -> list[Any]:
    """The result or the error of each call, one after another."""

    async def run() -> list[Any]:
        services = Services(found)
        try:
            return [await outcome(services, each) for each in calls]
        finally:
            await services.close()

    async def outcome(services: Services, each: Call) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await services.call(each)
        except ServiceError as error:
            return error.type, error.message, error.retryable
        except TimeoutError:
            return "timeout"

    return asyncio.run(run())


CHARGE = {"reference": "e1", "customer": "CUST-42", "token": "tok_visa", "amount": 729.58}


def test_a_repeated_charge_a_refund_and_a_late_charge(order: Configs, example: Callable[[str], Any]) -> None:
    charge = call("payment.charge", CHARGE)
    refund = call("payment.refund", {"reference": "e1"}, "compensate:process-payment")
    late = call("payment.charge", CHARGE, "late")
    first, again, back, refused = perform(order, charge, charge, refund, late)
    assert first == again == {"chargeId": "ch-e1", "amount": 729.58}
    assert back == {"refunded": 729.58}
    assert (refused[0], refused[2]) == ("payment.undone", False)
    assert example("order").rows("SELECT key, outcome FROM calls") == [
        ("e1/payment.charge", "done"),
        ("e1/payment.charge", "repeated"),
        ("e1/compensate:process-payment", "done"),
        ("e1/late", "payment.undone"),
    ]


@pytest.mark.parametrize(
    ("input", "expected"),
    [
        (CHARGE | {"token": "tok_declined"}, ("payment.declined", "the card was declined", False)),
        ({"amount": 1}, ("request.invalid", "the input lacks 'reference'", False)),
    ],
)
def test_an_error_is_the_same_error(order: Configs, input: Any, expected: Any) -> None:
    assert perform(order, call("payment.charge", input)) == [expected]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("down:1", ("http.503", "payment is down", True)),
        ("decline:1", ("payment.declined", "payment.charge was declined", False)),
        ("timeout:1", "timeout"),
        ("stall:1", "timeout"),
    ],
)
def test_told_trouble_and_then_success(
    order: Configs, example: Callable[[str], Any], fault: str, expected: Any
) -> None:
    world = example("order").world
    with world.store.open() as db:
        db.execute("INSERT INTO faults VALUES (NULL, 'payment', ?)", (fault,))
    charge = call("payment.charge", CHARGE)
    outcome = perform(order, charge, charge, seconds=0.7)
    assert outcome == [expected, {"chargeId": "ch-e1", "amount": 729.58}]
    assert example("order").rows("SELECT count(*) FROM charges") == [(1,)]


def test_a_lost_answer_is_found_again(order: Configs, example: Callable[[str], Any]) -> None:
    with example("order").world.store.open() as db:
        db.execute("INSERT INTO faults VALUES (NULL, 'payment', 'lost')")
    charge = call("payment.charge", CHARGE)
    lost, found = perform(order, charge, charge)
    assert (lost[0], found["amount"]) == ("http.connection", 729.58)
    assert example("order").rows("SELECT count(*) FROM charges") == [(1,)]


@pytest.mark.parametrize("name", ["order", "loan", "expense", "notifications"])
def test_every_action_is_known_to_the_adapters_before_any_call(name: str, example: Callable[[str], Any]) -> None:
    actions = example(name).world.actions.values()
    for file in (f"{name}.yaml", "services.http.yaml"):
        for service, config in configs(ROOT / name / file).items():
            known = known_actions(config)
            assert known is not None
            assert {action.name for action in actions if action.system == service} <= known
