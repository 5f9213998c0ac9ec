"""A number too small for JSON would silently be 0."""

import pytest

from wfrun.load.scalars import plain_value


def test_it_is_refused_and_a_zero_is_not() -> None:
    with pytest.raises(ValueError, match="too small for a number"):
        plain_value("1e-400")
    assert plain_value("0.0e-400") == 0
    assert plain_value("5e-324") == 5e-324
