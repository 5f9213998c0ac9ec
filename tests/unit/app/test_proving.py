"""What a forger can do to a journal, with a chain that holds, and that it does not stand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support.forged import Records, chained, forge, where
from tests.support.loans import started
from wfrun import __version__
from wfrun.app import driving
from wfrun.app.evidence import of_home
from wfrun.app.forms import checked_form
from wfrun.app.proving import Proof, is_proved, prove
from wfrun.app.repairing import Ask, prepare, prepare_compensation
from wfrun.app.workflows import stored_plan
from wfrun.core.proof import Prover
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

PARENT = """
name: parent
services: { s: { adapter: mock, default: { result: 1 } } }
steps:
  - { name: sub, type: workflow, workflow: child, input: { x: 1 }, output: sub }
  - { name: after, service: s, action: a, input: $.sub }
"""
CHILD = """
name: child
services: { s: { adapter: mock, default: { result: 7 } } }
input: { x: integer, y: { type: integer, default: 2 } }
steps: { name: one, service: s, action: a, output: one }
output: $.one
"""


def proof(home: Home, execution: str = "e") -> Proof:
    return next(prove(of_home(home, [execution])))


def misfit(home: Home, execution: str = "e") -> Any:
    found = proof(home, execution)
    assert found["problem"] is None
    assert not is_proved(found)
    return found["misfit"]


@pytest.mark.parametrize("action", ["pay", "broken"])
def test_what_happened_is_proved(tmp_path: Path, action: str) -> None:
    assert is_proved(proof(started(tmp_path, action)))


PIVOT = """
name: pivot
services: { s: { adapter: mock, actions: { a: { result: 1 }, no: { error: { type: shop.closed, message: no } } } } }
steps:
  - { name: first, service: s, action: a, compensate: { service: s, action: a } }
  - { name: sure, service: s, action: a, pivot: true }
  - { name: refused, service: s, action: no }
"""


def test_what_was_kept_behind_a_point_of_no_return_is_proved(tmp_path: Path) -> None:
    (tmp_path / "pivot.yaml").write_text(PIVOT)
    home = Home(tmp_path / "home")
    driving.run(home, workflow=str(tmp_path / "pivot.yaml"), execution="e")
    prepare(home, "e", Ask("rewind", "first", keep=True)).carry_out("ann", "")
    assert is_proved(proof(home))


def put(**changes: Any) -> Callable[[Records, int], None]:
    def change(records: Records, at: int) -> None:
        records[at].update(changes)

    return change


def remove(records: Records, at: int) -> None:
    del records[at]


def repeat(records: Records, at: int) -> None:
    records.insert(at, dict(records[at]))


def swap(records: Records, at: int) -> None:
    records[at], records[at + 1] = records[at + 1], records[at]


def again(records: Records, at: int) -> None:
    """An attempt more than its policy has, after the last one."""
    more = {**records[at], "attempt": records[at]["attempt"] + 1}
    records.insert(at + 2, more)


FORGERIES: list[tuple[dict[str, Any], Callable[[Records, int], None], str]] = [
    ({"type": "execution.started"}, put(input={"amount": 500, "channel": "web", "x": 1}), "does not accept the input"),
    ({"type": "execution.started"}, put(input={"amount": 0, "channel": "web"}), "does not accept the input"),
    ({"type": "execution.started"}, put(input={"amount": 500}), "lacks defaults"),
    ({"type": "execution.started"}, put(version=4), "version"),
    ({"type": "execution.started"}, put(steps=["book"]), "steps"),
    ({"type": "driver.started"}, put(epoch=2), "epoch"),
    ({"type": "driver.started"}, remove, "did not drive"),
    ({"type": "step.started", "step": "book"}, put(input={"n": 5}), "input"),
    ({"type": "step.started", "step": "book"}, put(inputHash="0" * 64), "inputHash"),
    ({"type": "step.started", "step": "book"}, put(key="e/other"), "key"),
    ({"type": "step.started", "step": "book"}, put(service="other"), "service"),
    ({"type": "step.started", "step": "book"}, repeat, "by the same runner"),
    ({"type": "step.started", "step": "book"}, remove, "had not been begun"),
    ({"type": "step.completed", "step": "book"}, repeat, "nothing had asked"),
    ({"type": "step.completed", "step": "book"}, put(result={"ok": True, "score": 1}), "values"),
    ({"type": "step.completed", "step": "reserve"}, swap, "nothing had asked"),
    ({"type": "step.failed", "step": "rate"}, put(random=3), "random"),
    ({"type": "step.failed", "step": "rate"}, remove, "nothing had asked"),
    ({"type": "step.started", "step": "rate", "attempt": 2}, again, "nothing had asked"),
    ({"type": "timer.started", "reason": "retry"}, put(due="2020-01-01T00:00:00.000000Z"), "due"),
    ({"type": "timer.fired"}, put(at="2020-01-01T00:00:00.000000Z"), "early"),
    ({"type": "values.set"}, put(values={"total": 1}), "values"),
    ({"type": "task.created"}, put(excludeInitiator=False), "excludeInitiator"),
    ({"type": "task.created"}, put(assignee={"users": ["eve"]}), "assignee"),
    ({"type": "task.created"}, put(due="2099-01-01T00:00:00.000000Z"), "another time"),
    ({"type": "task.created"}, put(due=None), "due"),
    ({"type": "task.decided"}, put(by="eve"), "is for ann or bob"),
    ({"type": "task.decided"}, put(by="ann"), "started this execution"),
    ({"type": "task.decided"}, put(decision="granted"), "can be decided as"),
    ({"type": "task.decided"}, put(data={"limit": 11}), "limit"),
    ({"type": "task.decided"}, put(data={}), "limit"),
    ({"type": "task.decided"}, put(at="2099-01-01T00:00:00.000000Z"), "expired"),
    ({"type": "task.decided"}, put(task="e/book"), "no such task"),
    ({"type": "task.decided"}, repeat, "was already decided"),
    ({"type": "task.decided"}, remove, "nothing had asked"),
    ({"type": "decision.made", "step": "large"}, put(value=False), "value"),
    ({"type": "decision.made", "step": "large"}, put(condition="$.amount > 1000"), "condition"),
    ({"type": "decision.made", "step": "large"}, put(operands={"$.amount": 5}), "operands"),
    ({"type": "decision.made", "step": "large"}, remove, "nothing had asked"),
    ({"type": "step.completed", "step": "pay"}, put(type="step.cancelled"), "the record"),
    ({"type": "execution.ended"}, put(output={"total": 0}), "output"),
    ({"type": "execution.ended"}, put(status="failed"), "nothing had asked"),
    ({"type": "execution.ended"}, put(more=1), "the record"),
]


@pytest.mark.parametrize(("members", "change", "words"), FORGERIES)
def test_a_forgery_is_named(
    tmp_path: Path, members: dict[str, Any], change: Callable[[Records, int], None], words: str
) -> None:
    home = started(tmp_path)
    forge(home, "e", lambda records: change(records, where(records, **members)))
    assert words in misfit(home)["message"]


COMPENSATION: list[tuple[dict[str, Any], Callable[[Records, int], None], str]] = [
    ({"type": "compensation.started"}, put(steps=["book"]), "steps"),
    ({"type": "compensation.started"}, put(reason="cancel"), "reason"),
    ({"type": "compensation.started"}, remove, "nothing had asked"),
    ({"type": "step.started", "step": "compensate:reserve"}, remove, "had not been begun"),
    ({"type": "step.completed", "step": "compensate:reserve"}, remove, "nothing had asked"),
    ({"type": "step.started", "step": "compensate:book"}, put(step="compensate:rate"), "nothing had asked"),
    ({"type": "execution.ended"}, put(error={"type": "x", "message": "y"}), "error"),
    ({"type": "execution.ended"}, put(status="failed"), "nothing had asked"),
]


@pytest.mark.parametrize(("members", "change", "words"), COMPENSATION)
def test_what_was_not_undone_is_named(
    tmp_path: Path, members: dict[str, Any], change: Callable[[Records, int], None], words: str
) -> None:
    home = started(tmp_path, "broken")
    forge(home, "e", lambda records: change(records, where(records, **members)))
    assert words in misfit(home)["message"]


def test_a_skipped_compensation_is_named_with_what_should_stand_there(tmp_path: Path) -> None:
    home = started(tmp_path, "broken")

    def skip(records: Records) -> None:
        records[:] = [record for record in records if record.get("step") != "compensate:reserve"]

    forge(home, "e", skip)
    found = misfit(home)
    assert (found["type"], found["step"]) == ("step.started", "compensate:book")
    assert "compensate:reserve#1" in found["expected"]


def test_it_says_what_was_expected_and_what_stands_there(tmp_path: Path) -> None:
    home = started(tmp_path)
    forge(home, "e", lambda records: records[where(records, type="decision.made")].update(value=False))
    found = misfit(home)
    assert (found["step"], found["expected"], found["recorded"]) == ("large", {"value": True}, {"value": False})


@pytest.fixture
def family(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(PARENT)
    driving.run(home, workflow=str(tmp_path / "parent.yaml"), execution="p")
    return home


class TestChildren:
    def test_they_are_proved_with_their_parent(self, family: Home) -> None:
        found = list(prove(of_home(family, ["p"])))
        assert [(each["execution"], is_proved(each)) for each in found] == [("p", True), ("p.sub", True)]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (put(output=8), "did not end so"),
            (put(status="cancelled"), "did not end so"),
            (put(child="other"), "child"),
        ],
    )
    def test_what_the_parent_says_of_them_has_to_be_so(
        self, family: Home, change: Callable[[Records, int], None], words: str
    ) -> None:
        forge(family, "p", lambda records: change(records, where(records, type="child.ended")))
        assert words in misfit(family, "p")["message"]

    def test_what_is_undone_with_its_parent_is_proved(self, family: Home) -> None:
        prepare_compensation(family, "p").carry_out("ann", "")
        records: Any = Journal.read(family, "p.sub")
        assert records[where(records, type="compensation.requested")]["by"] == "p"
        assert all(map(is_proved, prove(of_home(family, ["p"]))))

    def test_what_its_parent_has_not_begun_to_undo_is_named(self, family: Home) -> None:
        request = {"type": "compensation.requested", "by": "p", "reason": "", "at": "2099-01-01T00:00:00.000000Z"}
        forge(family, "p.sub", lambda records: records.append(request))
        assert "had not begun to undo it" in misfit(family, "p.sub")["message"]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (put(input={"x": 2, "y": 2}), "another input"),
            (put(input={"x": 1, "y": 99}), "another input"),
            (put(initiator="eve"), "otherwise"),
            (put(parent={"execution": "q", "step": "sub", "depth": 1}), "otherwise"),
        ],
    )
    def test_what_they_say_of_themselves_too(
        self, family: Home, change: Callable[[Records, int], None], words: str
    ) -> None:
        forge(family, "p.sub", lambda records: change(records, 0))
        assert words in misfit(family, "p")["message"]

    def test_one_that_its_parent_has_never_begun_is_named(self, family: Home) -> None:
        records: Any = Journal.read(family, "p.sub")
        path = Path(family.journal_path("p.more"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chained([{**records[0], "execution": "p.more"}]))
        assert "has not begun it" in misfit(family, "p.more")["message"]

    def test_one_without_a_beginning_is_told_as_such(self, family: Home) -> None:
        forge(family, "p.sub", lambda records: records.pop(0))
        assert "begins with execution.started" in misfit(family, "p.sub")["message"]
        assert not is_proved(proof(family, "p"))

    def test_a_start_without_its_step_has_no_shape(self, family: Home) -> None:
        forge(family, "p", lambda records: records[where(records, type="child.started")].pop("step"))
        assert "'step' is a required property" in misfit(family, "p")["message"]
        assert is_proved(proof(family, "p.sub"))


class TestWhatCannotBeProved:
    def test_a_damaged_journal(self, tmp_path: Path) -> None:
        home = started(tmp_path)
        path = Path(home.journal_path("e"))
        path.write_bytes(path.read_bytes().replace(b"500", b"501", 1))
        problem = proof(home)["problem"]
        assert problem is not None
        assert problem["code"] == "journal.damaged"

    @pytest.mark.parametrize(("change", "code"), [(None, "definition.unknown"), (b"x", "definition.damaged")])
    def test_a_definition_that_is_not_there_or_another(self, tmp_path: Path, change: bytes | None, code: str) -> None:
        home = started(tmp_path)
        (path,) = Path(home.definitions).glob("*.yaml")
        path.unlink()
        if change is not None:
            path.write_bytes(change)
        problem = proof(home)["problem"]
        assert problem is not None
        assert problem["code"] == code


def test_no_change_of_one_member_ends_in_a_traceback(tmp_path: Path) -> None:
    """Whatever stands in a journal, it is proved, or not."""
    home = started(tmp_path, "broken")
    records = Journal.read(home, "e")
    plan = stored_plan(home, records[0])
    values: list[Any] = ["x", -1, None, {}, [], "e/approval", "compensate:book", "2026-01-01T00:00:00.000000Z"]
    found = 0
    for at, record in enumerate(records):
        for value, name in product(values, record.keys() - {"seq", "at", "prev"}):
            forged = [*records[:at], {**record, name: value}, *records[at + 1 :]]
            found += Prover(plan, lambda digest: plan, checked_form, __version__).prove(forged) is not None
    assert found > 500
