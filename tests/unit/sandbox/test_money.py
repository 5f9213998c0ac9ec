import json

import pytest

from wfrun import ServiceError
from wfrun.sandbox import amount, cents


@pytest.mark.parametrize(
    ("value", "expected"),
    [(729.58, 72958), (54.60, 5460), (7, 700), (0, 0), (-1.5, -150), (1e9, 10**11)],
)
def test_amounts_are_whole_cents(value: float, expected: int) -> None:
    assert cents(value) == expected


@pytest.mark.parametrize("value", [0.001, 0.1 + 0.2, 649.995, float("nan"), float("inf"), True, "7.00", None, [1]])
def test_what_is_not_an_amount_to_the_cent_is_refused(value: object) -> None:
    with pytest.raises(ServiceError) as caught:
        cents(value)
    assert (caught.value.type, caught.value.status, caught.value.retryable) == ("request.invalid", 400, False)


def test_every_amount_survives_json() -> None:
    assert all(cents(json.loads(json.dumps(amount(value)))) == value for value in range(0, 1_000_000, 7))
