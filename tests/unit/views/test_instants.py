from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wfrun.core.instants import elapsed_ms, format_instant, parse_instant
from wfrun.views.instants import duration_words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0ms"),
        (999, "999ms"),
        (1_000, "1.0s"),
        (2_460, "2.4s"),
        (59_999, "59.9s"),
        (60_000, "1m 00s"),
        (185_000, "3m 05s"),
        (3_600_000, "1h 00m"),
        (15_120_000, "4h 12m"),
        (183_600_000, "2d 03h"),
    ],
)
def test_duration_words(milliseconds: int, words: str) -> None:
    assert duration_words(milliseconds) == words


@pytest.mark.parametrize("text", ["2026-11-23T09:00:00Z", "2026-11-23T10:00:00+01:00", "2026-11-23 09:00"])
def test_instants_are_utc(text: str) -> None:
    assert parse_instant(text) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_instants_are_written_one_way() -> None:
    assert format_instant(datetime(2026, 11, 23, 9, tzinfo=UTC)) == "2026-11-23T09:00:00.000000Z"


def test_a_clock_set_back_gives_no_negative_time() -> None:
    assert elapsed_ms("2026-11-23T09:00:01Z", "2026-11-23T09:00:00Z") == 0
