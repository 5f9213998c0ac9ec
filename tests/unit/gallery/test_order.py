"""The seven systems of the order, one by one, undone in reverse, and all the same over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any

import pytest

from wfrun import ServiceError

ITEMS = [{"sku": "TV-SAM-55", "quantity": 2}, {"sku": "HDMI-2M", "quantity": 1}]
TV = "SELECT available FROM stock WHERE sku = 'TV-SAM-55'"
CHARGE = {"reference": "e1", "customer": "CUST-42", "token": "tok_visa", "amount": 729.58}


@pytest.fixture
def order(example: Callable[[str], Any]) -> Any:
    return example("order")


def refused(order: Any, action: str, fields: Any, execution: str = "refused") -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        order.call(action, execution, fields)
    return caught.value


def changed(order: Any, **changes: Any) -> Any:
    return {"order": order.input("order.json")["order"] | changes}


def test_the_order_adds_up(order: Any) -> None:
    result = order.call("orders.validate", "e1", order.input("order.json"))
    assert result == {"orderId": "ORD-2024-001", "items": 1, "total": 729.58}


@pytest.mark.parametrize("total", [729.57, 729.59, 0, 72958, -729.58])
def test_a_cent_more_or_less_is_refused(order: Any, total: float) -> None:
    error = refused(order, "orders.validate", changed(order, total=total))
    assert (error.type, error.retryable) == ("order.total-mismatch", False)
    assert error.message == f"the total is {total:.2f}, but items, shipping and tax add up to 729.58"


def test_cents_are_added_as_cents(order: Any) -> None:
    items = [{"sku": "A", "quantity": 3, "unitPrice": 0.1}, {"sku": "B", "quantity": 1, "unitPrice": 0.2}]
    sums = changed(order, items=items, shipping=0, tax=0, total=0.5)
    assert order.call("orders.validate", "e1", sums)["total"] == 0.5


@pytest.mark.parametrize(
    ("changes", "type"),
    [
        ({"items": []}, "order.invalid"),
        ({"items": [{"sku": "A", "quantity": 0, "unitPrice": 1}]}, "order.invalid"),
        ({"items": [{"sku": "A", "quantity": True, "unitPrice": 1}]}, "order.invalid"),
        ({"items": [{"sku": "A", "quantity": 1.5, "unitPrice": 1}]}, "order.invalid"),
        ({"items": [{"sku": "A", "quantity": 1}]}, "request.invalid"),
        ({"items": "TV"}, "request.invalid"),
        ({"items": ["TV"]}, "request.invalid"),
        ({"total": "729.58"}, "request.invalid"),
        ({"tax": 54.601}, "request.invalid"),
    ],
)
def test_a_wrong_order_is_told_what_is_wrong(order: Any, changes: dict[str, Any], type: str) -> None:
    error = refused(order, "orders.validate", changed(order, **changes))
    assert (error.type, error.retryable) == (type, False)


def test_an_order_that_is_none(order: Any) -> None:
    assert refused(order, "orders.validate", {"order": "TV"}).message == "'order' is not an object"
    assert refused(order, "orders.validate", {}).message == "the input lacks 'order'"


def test_inventory_knows_what_is_there(order: Any) -> None:
    result = order.call("inventory.checkAvailability", "e1", {"items": ITEMS})
    assert result == {"available": {"TV-SAM-55": 5000, "HDMI-2M": 20000}}
    many = {"items": [{"sku": "TV-SAM-55", "quantity": 5001}]}
    assert refused(order, "inventory.checkAvailability", many).type == "inventory.out-of-stock"
    unknown = {"items": [{"sku": "RADIO", "quantity": 1}]}
    assert refused(order, "inventory.checkAvailability", unknown).type == "inventory.unknown-item"


def test_reserved_goods_leave_the_stock_and_come_back(order: Any) -> None:
    assert order.call("warehouse.reserve", "e1", {"reference": "e1", "items": ITEMS})["items"] == 2
    assert order.rows(TV) == [(4998,)]
    assert order.call("warehouse.release", "e1", {"reference": "e1"}) == {"released": 3}
    assert order.call("warehouse.release", "e1", {"reference": "e1"}, key="again") == {"released": 0}
    assert order.rows(TV) == [(5000,)]


def test_all_items_are_reserved_or_none(order: Any) -> None:
    items = [*ITEMS, {"sku": "HDMI-2M", "quantity": 99_999}]
    assert refused(order, "warehouse.reserve", {"reference": "e1", "items": items}).type == "warehouse.out-of-stock"
    assert order.rows(TV) == [(5000,)]
    assert order.rows("SELECT count(*) FROM reservations") == [(0,)]


def test_the_last_ones_are_sold_once(order: Any) -> None:
    with order.world.store.open() as db:
        db.execute("UPDATE stock SET available = 10 WHERE sku = 'TV-SAM-55'")

    def reserve(number: int) -> int:
        fields = {"reference": f"e{number}", "items": [{"sku": "TV-SAM-55", "quantity": 1}]}
        try:
            order.call("warehouse.reserve", f"e{number}", fields)
        except ServiceError:
            return 0
        return 1

    with ThreadPoolExecutor(30) as pool:
        assert sum(pool.map(reserve, range(30))) == 10
    assert order.rows(TV) == [(0,)]


def test_a_charge_and_its_refund(order: Any) -> None:
    assert order.call("payment.charge", "e1", CHARGE) == {"chargeId": "ch-e1", "amount": 729.58}
    assert order.rows("SELECT reference, amount_cents, refunded_at FROM charges") == [("e1", 72958, None)]
    assert order.call("payment.refund", "e1", {"reference": "e1"}) == {"refunded": 729.58}


def test_a_charge_that_comes_after_its_refund_is_refused(order: Any) -> None:
    assert order.call("payment.refund", "e1", {"reference": "e1"}) == {"refunded": 0}
    assert refused(order, "payment.charge", CHARGE, "e1").type == "payment.undone"
    assert order.rows("SELECT count(*) FROM charges") == [(0,)]


@pytest.mark.parametrize(
    ("fields", "type"),
    [
        (CHARGE | {"token": "tok_declined"}, "payment.declined"),
        (CHARGE | {"amount": 0}, "payment.conflict"),
        (CHARGE | {"amount": -5}, "payment.conflict"),
        (CHARGE | {"amount": 1.001}, "request.invalid"),
    ],
)
def test_what_is_not_charged(order: Any, fields: dict[str, Any], type: str) -> None:
    error = refused(order, "payment.charge", fields)
    assert (error.type, error.retryable) == (type, False)
    assert order.rows("SELECT count(*) FROM charges") == [(0,)]


def test_a_parcel_is_booked_and_called_back(order: Any) -> None:
    booked = order.call("shipping.createShipment", "e1", {"reference": "e1", "address": {"city": "Portland"}})
    assert booked["city"] == "Portland"
    assert order.call("shipping.cancelShipment", "e1", {"reference": "e1"}) == {"cancelled": booked["trackingNumber"]}
    assert order.call("shipping.cancelShipment", "e2", {"reference": "e2"}) == {"cancelled": None}


def test_what_a_customer_is_worth(order: Any) -> None:
    for execution in ("e1", "e2"):
        fields = {"reference": execution, "customer": "CUST-42", "total": 729.58}
        worth = order.call("crm.recordPurchase", execution, fields)
    assert worth == {"customer": "CUST-42", "lifetimeValue": 1459.16}
    assert order.call("crm.retractPurchase", "e2", {"reference": "e2"}) == {"retracted": True}
    fields = {"reference": "e3", "customer": "CUST-42", "total": 0.01}
    assert order.call("crm.recordPurchase", "e3", fields)["lifetimeValue"] == 729.59


def test_a_message_is_sent_once(order: Any) -> None:
    fields = {"reference": "e1", "to": "maria@example.com", "subject": "Thank you"}
    assert order.call("email.sendEmail", "e1", fields) == order.call("email.sendEmail", "e1", fields)
    assert order.rows("SELECT recipient, subject FROM outbox") == [("maria@example.com", "Thank you")]


FORWARD: list[tuple[str, Any]] = [
    ("warehouse.reserve", {"reference": "e1", "items": ITEMS}),
    ("payment.charge", CHARGE),
    ("shipping.createShipment", {"reference": "e1", "address": {"city": "Portland"}}),
    ("crm.recordPurchase", {"reference": "e1", "customer": "CUST-42", "total": 729.58}),
]
BACK = ["crm.retractPurchase", "shipping.cancelShipment", "payment.refund", "warehouse.release"]
LEFT = """
SELECT (SELECT sum(available) FROM stock), (SELECT count(*) FROM charges WHERE refunded_at IS NULL),
       (SELECT count(*) FROM shipments WHERE cancelled_at IS NULL),
       (SELECT count(*) FROM purchases WHERE retracted_at IS NULL)
"""


@pytest.mark.parametrize(
    "faults", ["", "payment=lost", "warehouse=lost,crm=lost", "shipping=down", "payment=decline,warehouse=lost"]
)
def test_everything_done_and_undone_leaves_no_trace(order: Any, monkeypatch: pytest.MonkeyPatch, faults: str) -> None:
    untouched = order.rows(LEFT)
    monkeypatch.setenv("WFRUN_FAIL", faults)
    for action, fields in FORWARD:
        with suppress(ServiceError):
            order.call(action, "e1", fields)
    assert order.rows(LEFT) != untouched
    for action in BACK:
        order.call(action, "e1", {"reference": "e1"})
    assert order.rows(LEFT) == untouched == [(25000, 0, 0, 0)]


def post(connection: HTTPConnection, path: str, key: str, fields: Any) -> tuple[int, Any]:
    connection.request("POST", path, json.dumps(fields), {"Idempotency-Key": key})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_over_http_it_is_the_same_world(order: Any, serve: Callable[[str], HTTPConnection]) -> None:
    connection = serve("order")
    first = post(connection, "/payment/charges", "e1/payment.charge", CHARGE)
    assert first == (200, {"chargeId": "ch-e1", "amount": 729.58})
    assert order.call("payment.charge", "e1", CHARGE) == first[1]
    assert post(connection, "/payment/charges/e1/refund", "e1/undo", {"reference": "e1"}) == (200, {"refunded": 729.58})
    declined = post(connection, "/payment/charges", "e2/pay", CHARGE | {"reference": "e2", "token": "tok_declined"})
    assert (declined[0], declined[1]["error"]["type"]) == (402, "payment.declined")
    assert order.rows("SELECT reference, refunded_at IS NULL FROM charges") == [("e1", 0)]


def test_over_http_fifty_orders_at_once_are_charged_once_each(
    order: Any, serve: Callable[[str], HTTPConnection]
) -> None:
    connection = serve("order")

    def buy(number: int) -> set[int]:
        own = HTTPConnection(connection.host, connection.port, timeout=20)
        reference = f"e{number}"
        charge = CHARGE | {"reference": reference}
        codes = {post(own, "/payment/charges", f"{reference}/pay", charge)[0] for _ in range(2)}
        items = {"reference": reference, "items": ITEMS}
        codes.add(post(own, "/warehouse/reservations", f"{reference}/reserve", items)[0])
        own.close()
        return codes

    with ThreadPoolExecutor(50) as pool:
        assert set().union(*pool.map(buy, range(100))) == {200}
    assert order.rows("SELECT count(*), sum(amount_cents) FROM charges") == [(100, 7295800)]
    assert order.rows(TV) == [(4800,)]
    outcomes = order.rows("SELECT outcome, count(*) FROM calls GROUP BY outcome ORDER BY outcome")
    assert outcomes == [("done", 200), ("repeated", 100)]
