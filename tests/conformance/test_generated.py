"""Invented workflows in invented worlds on Temporal: the same effects as on one machine."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, assume, event, given, seed, settings

from tests.support.model.comparing import Racy, compare_with_local
from tests.support.model.invented import Invention, inventions
from tests.support.remote import Stage
from tests.support.tally import seed as seed_of_session
from tests.support.tally import size


@seed(seed_of_session())
@given(inventions())
@settings(
    max_examples=size(20, 250),
    deadline=None,
    database=None,
    # A server is behind it: what differs is told as it was found, for the same seed finds it again.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_temporal_does_what_the_local_engine_does(stage: Stage, invention: Invention) -> None:
    """What happens at the same instant as something else, and comes out otherwise in another order, is left out."""
    try:
        compared = compare_with_local(stage.outcome, invention)
    except Racy:
        assume(False)
    event(compared.status)
    assert compared.differences == []
