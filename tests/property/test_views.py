"""What people are shown of every case, at every moment: it fits its schema, has words, and denies nothing that ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.cases import Case, Scenario, load_cases
from tests.support.schemas import validator
from tests.support.stage import Actor, played
from wfrun.app.drawing import draw
from wfrun.cli.render.explain import explanation_lines
from wfrun.cli.render.lists import moment_line, tree_lines
from wfrun.cli.render.status import status_lines
from wfrun.core.events import Record
from wfrun.views.explain import explain, explain_step
from wfrun.views.graph import mermaid, statuses_of, tree
from wfrun.views.model import StatusView
from wfrun.views.overdue import as_of
from wfrun.views.status import status_of
from wfrun.views.timeline import timeline

SCENARIOS = [(case, scenario) for case in load_cases() for scenario in case.scenarios]
LATER = "2999-01-01T00:00:00.000000Z"

each_scenario = pytest.mark.parametrize(
    ("case", "scenario"), SCENARIOS, ids=[f"{case.name}: {scenario.name}" for case, scenario in SCENARIOS]
)


@each_scenario
def test_at_every_moment(case: Case, scenario: Scenario) -> None:
    for actor in played(case, scenario).actors.values():
        for end in range(1, len(actor.records) + 1):
            seen_at(actor, actor.records[:end])
        explained(actor)
        told(actor)


def seen_at(actor: Actor, records: Sequence[Record]) -> None:
    view = status_of(records, driven=False, child=lambda _: "waiting")
    validator("cli-status").validate(view)
    assert all(status_lines(each)[0] for each in (view, as_of(view, LATER)))
    overlooked = set(completed(records)) & {row["step"] for row in view["steps"] if row["status"] == "pending"}
    assert overlooked == set()
    found = explain(records, view, actor.plan)
    assert list(explanation_lines(found))
    assert found["reasons"] or view["status"] in ("interrupted", "failed", "cancelled", "compensated")
    assert called_by_name(actor, status_lines(view))


def completed(records: Sequence[Record]) -> Iterator[str]:
    """Steps of which something has completed, in loops or not."""
    for record in records:
        if record["type"] in ("step.completed", "event.published"):
            yield record["step"].partition("@")[0]


def called_by_name(actor: Actor, lines: Sequence[str]) -> bool:
    """Commands are typed with the ids of steps; elsewhere those within a step with a name are called after it."""
    within = [id for id in actor.records[0]["names"] if not id.endswith("]")]
    return not [line for line in lines if "wfrun " not in line for id in within if id in line]


def explained(actor: Actor) -> None:
    """Every step and block, at the end: what ran is never said not to have been come to."""
    records = actor.records
    view = status_of(records, driven=False)
    ran = {*completed(records)}
    for step in [*actor.plan.step_names, *blocks_with_names(view, actor)]:
        found = explain_step(records, view, actor.plan, step)
        validator("cli-explain").validate(found)
        assert found["reasons"]
        assert list(explanation_lines(found))
        denied = {each["what"] for each in found["reasons"]} & {"pending", "not-reached", "not-taken"}
        assert not denied or step not in ran


def blocks_with_names(view: StatusView, actor: Actor) -> list[str]:
    blocks = {part["block"] for part in actor.records[0]["parts"]}
    return sorted(block for block in blocks if block not in view["names"])


def told(actor: Actor) -> None:
    statuses = statuses_of(status_of(actor.records))
    for moment in timeline([{**record, "seq": record["seq"] + 1} for record in actor.records]):
        validator("cli-log").validate(moment)
        assert called_by_name(actor, [moment_line(moment)])
    nodes = draw(actor.plan.root.steps, actor.plan.document)
    drawn: Any = {"title": actor.plan.name, "nodes": nodes, "statuses": statuses}
    validator("cli-graph").validate(drawn)
    assert len(tree_lines(actor.plan.name, tree(nodes, statuses))) > 1
    assert mermaid(actor.plan.name, nodes, statuses).startswith("flowchart")
