from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from wfrun.adapters.addresses import is_public, public_address
from wfrun.adapters.http_answer import retry_after
from wfrun.errors import ServiceError


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_a_name_without_an_address() -> None:
    with pytest.raises(ServiceError) as caught:
        asyncio.run(public_address("no-such-host.invalid", 80, allow_private=False))
    assert caught.value.type == "http.connection"


def test_decimal_and_short_forms_of_loopback_are_seen_through() -> None:
    for host in ("2130706433", "127.1", "0x7f000001"):
        with pytest.raises(ServiceError) as caught:
            asyncio.run(public_address(host, 80, allow_private=False))
        assert caught.value.type == "http.address"


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "milliseconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120_000),
        ("Thu, 01 Jan 2026 00:00:05 GMT", 5_000),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("9" * 50, None),
        ("Thu, 01 Jan 2026 00:00:05 +99999999999999999", None),
        ("Thu, 01 Jan 99999999999999999999 00:00:05 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, milliseconds: int | None) -> None:
    assert retry_after(header, NOW) == milliseconds
