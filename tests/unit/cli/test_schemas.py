"""What views say fits the published schemas, whatever the workflow is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.schemas import validator
from wfrun.views.overdue import as_of
from wfrun.views.status import status_of
from wfrun.views.summary import summary_of
from wfrun.views.timeline import timeline

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Tale

DUE = "2026-11-24T09:00:00.000000Z"


@pytest.fixture
def everything(tale: Callable[..., Tale]) -> Tale:
    """An execution that is in the middle of all that there is."""
    told = tale("ship", "paid", "nap", "sub", "ask")
    told.records[0] |= {"parent": {"execution": "k1", "step": "order@3"}, "listens": ["payment.received"]}
    told.add("foreach.started", step="all", count=9, steps=["ship"]).call("ship@0").begin("ship@1").fail("ship@1")
    told.begin("ship@2").call("compensate:ship@0").begin("compensate:ship@0/2")
    told.add("wait.started", wait="paid!event", step="paid", events=["payment.received"], complete=1)
    told.add("timer.started", timer="paid!timeout", step="paid", due=DUE, reason="timeout")
    told.add("timer.started", timer="nap!wait", step="nap", due=DUE, reason="wait")
    told.add("child.started", step="sub", child="k7.sub", workflow="sub", input={}, detach=False)
    told.add("decision.made", step="pick", of="case", case=1, condition="$.n > 1", value=True, operands={"$.n": 2})
    told.begin("lost").add("step.unknown", step="lost", attempt=1, key="k1/lost", since=DUE)
    told.add("repair.requested", action="skip", by="kim", reason="", step="x", dropped=[3], undo=[])
    return told.ask("ask")


@pytest.mark.parametrize("child", ["waiting", "paused", "running", None])
def test_a_status_fits_its_schema(everything: Tale, child: Any) -> None:
    view = as_of(status_of(everything.records, child=lambda _: child), DUE)
    validator("cli-status").validate(view)
    assert view["children"][0]["status"] == child
    assert view["waits"][0]["overdue"]
    assert "iterations" in view["steps"][0]
    validator("cli-status", "#/definitions/summary").validate(summary_of(view))
    validator("cli-batch").validate({"input": 1, **summary_of(view)})


def test_the_schema_refuses_what_it_does_not_know(everything: Tale) -> None:
    view: Any = status_of(everything.records)
    assert not validator("cli-status").is_valid({**view, "status": "asleep"})
    view["steps"][0]["iterations"]["counts"]["lost"] = 1
    assert not validator("cli-status").is_valid(view)


def test_moments_fit_their_schema(everything: Tale) -> None:
    for moment in timeline(everything.records):
        validator("cli-log").validate(moment)


@pytest.mark.parametrize("branch", [None, "then", "$.kind == 'a'", "catch http.5*", "finally"])
def test_outlines_fit_their_schema(branch: str | None) -> None:
    node = {"id": "a", "name": "a", "type": "switch", "label": "", "branch": branch, "needs": ["b"], "children": []}
    validator("cli-graph").validate({"title": "t", "nodes": [node], "statuses": {"a": "waiting"}})
    assert not validator("cli-graph").is_valid({"title": "t", "nodes": [node], "statuses": {"a": "asleep"}})
