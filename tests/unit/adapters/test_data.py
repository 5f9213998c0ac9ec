from __future__ import annotations

import json
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.adapters.data import MAX_DELAY_MS, MAX_INTEGER_BITS, parse_json, plain, sound
from wfrun.core.values import MAX_DEPTH, canonical
from wfrun.errors import ServiceError

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def containers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [id(value), *(found for item in value.values() for found in containers(item))]
    if isinstance(value, list):
        return [id(value), *(found for item in value for found in containers(item))]
    return []


@given(VALUES)
def test_json_is_copied_and_shares_nothing_that_can_be_changed(value: Any) -> None:
    copy = plain(value)
    assert canonical(copy) == canonical(value)
    assert not set(containers(copy)) & set(containers(value))


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((1, 2), "result is a Python tuple"),
        ({"a": [{"b": Decimal(1)}]}, "result.a[0].b is a Python Decimal"),
        ({1: "x"}, "the key 1 of result is not text"),
        ({"a": {"\ud800": 1}}, "surrogate"),
        ([float("nan")], "result[0] is NaN"),
        ({"a": float("-inf")}, "result.a is NaN or an infinity"),
        ("\udfff", "result is text with a lone surrogate"),
        (1 << MAX_INTEGER_BITS, "1,200 digits"),
        (OrderedDict(a=1), "OrderedDict"),
        (nested(MAX_DEPTH + 1), "nested deeper"),
        (CYCLE, "nested deeper"),
        ({1}, "a Python set"),
        (b"x", "a Python bytes"),
    ],
)
def test_what_is_not_json_is_named_with_its_place(value: Any, words: str) -> None:
    with pytest.raises(ServiceError) as caught:
        plain(value)
    assert caught.value.type == "adapter.result"
    assert words in caught.value.message


def test_the_deepest_and_the_largest_that_fit() -> None:
    assert plain(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    largest = (1 << MAX_INTEGER_BITS) - 1
    assert json.loads(canonical(plain([largest, -largest]))) == [largest, -largest]


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "-Infinity", "[" * 100_000, b"\xff", "1 2", "9" * 5000])
def test_what_cannot_be_parsed_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


class Unprintable:
    def __repr__(self) -> str:
        return "odd \udcff"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"status": 402, "retry_after_ms": 5, "retryable": False, "details": {"a": [1]}}, (402, 5, False, {"a": [1]})),
        ({"status": "402", "retry_after_ms": "soon", "retryable": "no"}, (None, None, None, None)),
        ({"retry_after_ms": 1.5}, (None, 1, None, None)),
        ({"retry_after_ms": float("nan")}, (None, None, None, None)),
        ({"retry_after_ms": float("inf")}, (None, None, None, None)),
        ({"retry_after_ms": float("-inf")}, (None, None, None, None)),
        ({"retry_after_ms": True}, (None, None, None, None)),
        ({"retry_after_ms": -3}, (None, 0, None, None)),
        ({"retry_after_ms": -0.5}, (None, 0, None, None)),
        ({"retry_after_ms": 10**18}, (None, MAX_DELAY_MS, None, None)),
        ({"retry_after_ms": 10**5000}, (None, MAX_DELAY_MS, None, None)),
        ({"retry_after_ms": 1e300}, (None, MAX_DELAY_MS, None, None)),
        ({"status": 10**5000}, (None, None, None, None)),
        ({"status": -1}, (None, None, None, None)),
        ({"details": Decimal("1.5")}, (None, None, None, "Decimal('1.5')")),
        ({"details": [Unprintable()]}, (None, None, None, "[odd ?]")),
    ],
)
def test_an_error_of_somebodys_code_can_be_journaled(given: dict[str, Any], kept: tuple[Any, ...]) -> None:
    error = sound(ServiceError("a.b", "text \udcff", **given))
    assert (error.status, error.retry_after_ms, error.retryable, error.details) == kept
    assert error.message == "text ?"
    canonical([error.type, error.message, error.details]).encode()


def test_an_error_without_a_type_gets_one() -> None:
    assert sound(ServiceError("", "x")).type == "adapter.error"
    assert sound(ServiceError(5, "x")).type == "adapter.error"  # type: ignore[arg-type]


class Mute:
    def __repr__(self) -> str:
        raise SystemExit

    __str__ = __repr__


class Forgetful(ServiceError):
    """Does not call the constructor that it inherits."""

    def __init__(self) -> None:
        pass


def test_an_error_need_not_be_able_to_say_what_it_is() -> None:
    error = sound(ServiceError("a.b", Mute(), details=[Mute()]))  # type: ignore[arg-type]
    assert (error.message, error.details) == ("a Python Mute", "a Python list")
    error = sound(Forgetful())
    assert (error.type, error.message, error.details) == ("adapter.error", "Forgetful", None)


@pytest.mark.parametrize("before", range(4_060, 4_100))
def test_a_secret_is_never_cut_in_two(before: int) -> None:
    secret = "s3cr3t-t0ken-0f-s0me-length"
    error = sound(ServiceError("a.b", "x" * (before - 1) + " " + secret + " y" * 99))
    assert len(error.message) <= 4_096
    assert secret in error.message or "s3c" not in error.message


def test_an_error_has_a_bounded_size() -> None:
    error = sound(ServiceError("x" * 1_000, "y" * 100_000, details=["z" * 100_000]))
    assert len(canonical([error.type, error.message, error.details])) < 10_000
