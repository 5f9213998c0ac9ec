"""Money: decimals in JSON (729.58), whole cents in SQL."""

from __future__ import annotations

from decimal import Decimal

from wfrun.sandbox.call import invalid


def cents(value: object) -> int:
    """729.58 as 72958. Raises ServiceError `request.invalid` for anything that is not an amount to the cent."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{value!r} is not an amount of money to the cent")
    exact = Decimal(str(value)) * 100  # str() gives the decimal that was written, not its binary neighbour
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise invalid(f"{value!r} is not an amount of money to the cent")
    return int(exact)


def amount(cents: int) -> float:
    """72958 as 729.58: the nearest float, which JSON writes as exactly these digits."""
    return cents / 100
