"""Arithmetic of retries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.core.events import ErrorData
from wfrun.core.instants import format_instant, parse_instant
from wfrun.core.retry import Retry, delay_ms, is_retryable, next_due

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def error(type: str = "boom", **more: object) -> ErrorData:
    return {"type": type, "message": "", **more}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        ("exponential", [1_000, 2_000, 4_000, 8_000]),
        ("linear", [1_000, 2_000, 3_000, 4_000]),
        ("fixed", [1_000, 1_000, 1_000, 1_000]),
    ],
)
def test_how_delays_grow(policy: str, delays: list[int]) -> None:
    retry = Retry(policy, 4, jitter=0)  # type: ignore[arg-type]
    assert [delay_ms(retry, retries, 0.5) for retries in range(4)] == delays


def test_a_delay_is_capped_first_and_jittered_after() -> None:
    retry = Retry("exponential", 9, max_delay=10_000, jitter=0.5)
    assert (delay_ms(retry, 8, 0.0), delay_ms(retry, 8, 0.5), delay_ms(retry, 8, 1.0)) == (5_000, 10_000, 15_000)


def test_growth_without_bound_ends_at_the_cap() -> None:
    assert delay_ms(Retry("exponential", 10**6, jitter=0), 10**5, 0.5) == 60_000


@given(st.sampled_from(["exponential", "linear", "fixed"]), st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_a_delay_stays_within_cap_and_jitter(policy: str, retries: int, jitter: float, random: float) -> None:
    retry = Retry(policy, 10**6, jitter=jitter)  # type: ignore[arg-type]
    assert 0 <= delay_ms(retry, retries, random) <= 60_000 * (1 + jitter) + 1


@pytest.mark.parametrize("type", ["http.400", "http.404", "expression.undefined", "task.rejected", "task.timeout"])
def test_what_another_attempt_cannot_help(type: str) -> None:
    assert not is_retryable(Retry("fixed", 1), error(type))


@pytest.mark.parametrize("type", ["http.408", "http.425", "http.429", "http.503", "timeout", "anything.else"])
def test_what_it_can(type: str) -> None:
    assert is_retryable(Retry("fixed", 1), error(type))


def test_the_services_word_counts_for_more_than_the_type_and_the_authors_for_most() -> None:
    assert not is_retryable(Retry("fixed", 1), error("http.503", retryable=False))
    assert is_retryable(Retry("fixed", 1), error("http.400", retryable=True))
    assert is_retryable(Retry("fixed", 1, on=("http.4*",)), error("http.404", retryable=False))
    assert not is_retryable(Retry("fixed", 1, never=("http.503",)), error("http.503", retryable=True))
    assert not is_retryable(Retry("fixed", 1, on=("timeout",)), error("http.503"))


def test_no_further_attempt_when_all_are_used_up() -> None:
    assert next_due(Retry("fixed", 2, jitter=0), error(), 1, NOON, 0.5, None) == NOON + timedelta(seconds=1)
    assert next_due(Retry("fixed", 2, jitter=0), error(), 2, NOON, 0.5, None) is None
    assert next_due(Retry("none", 2), error(), 0, NOON, 0.5, None) is None


def test_the_services_delay_is_honoured() -> None:
    due = next_due(Retry("fixed", 1, jitter=0), error(retryAfterMs=9_000), 0, NOON, 0.5, None)
    assert due == NOON + timedelta(seconds=9)


def test_a_wait_that_would_outlast_the_deadline_is_not_begun() -> None:
    retry = Retry("fixed", 1, jitter=0)
    assert next_due(retry, error(), 0, NOON, 0.5, NOON + timedelta(milliseconds=1_000)) is None
    assert next_due(retry, error(), 0, NOON, 0.5, NOON + timedelta(milliseconds=1_001)) is not None


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_being_written(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant
    assert format_instant(instant).endswith("Z")
