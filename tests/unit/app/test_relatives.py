"""Repairs of executions that are steps of others, or have such: nothing is done that nobody would undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.app.test_repairing import PLAIN, SERVICES, called, codes, of_type, write
from wfrun.app import driving
from wfrun.app.evidence import of_home
from wfrun.app.proving import is_proved, prove
from wfrun.app.repairing import Ask, Prepared, Refused, prepare, prepare_compensation, take_up
from wfrun.errors import ConflictError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

PARENT = f"""
name: parent
version: 1
{SERVICES}
HANDLING
steps:
  - {{ name: a, service: s, action: do, output: a }}
  - {{ name: sub, type: workflow, workflow: shop, input: {{ n: 3 }}, output: sub }}
  - {{ name: b, service: s, action: do }}
output: $.sub
"""
TOP = PARENT.replace("name: parent", "name: top").replace("workflow: shop, input: { n: 3 }", "workflow: parent")
GIVEN = Ask("set-output", "three", 7)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def start(home: Home, folder: Path, parent: str = PARENT, *, pause: bool = False) -> None:
    write(folder, PLAIN, pause=False)
    driving.run(home, workflow=write(folder, parent, name="parent.yaml", pause=pause), execution="p")


def start_three(home: Home, folder: Path, *, pause: bool) -> None:
    write(folder, PLAIN, pause=False)
    write(folder, PARENT, name="parent.yaml", pause=False)
    driving.run(home, workflow=write(folder, TOP, name="top.yaml", pause=pause), execution="t")


def status(home: Home, execution: str) -> str:
    return str(of_type(home, execution, "execution.ended")[-1]["status"])


class TestPausedParents:
    def test_one_goes_on_with_its_child(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path, pause=True)
        prepared = prepare(home, "p.sub", GIVEN)
        assert prepared.preview["parents"] == ["p"]
        outcome = prepared.carry_out("kim")
        assert (outcome.execution, outcome.status, outcome.view["output"]) == ("p", "completed", 7)
        assert called(home, "p.sub") == ["one", "two", "three", "four"]

    def test_so_it_can_be_undone_with_all_that_the_child_has_done(self, home: Home, tmp_path: Path) -> None:
        start(
            home,
            tmp_path,
            PARENT.replace("  - { name: b, service: s, action: do }", "  - { name: b, type: fail }"),
            pause=True,
        )
        prepare(home, "p.sub", GIVEN).carry_out("kim")
        assert prepare_compensation(home, "p").carry_out("kim").status == "compensated"
        assert status(home, "p.sub") == "compensated"

    def test_whoever_was_interrupted_between_the_two_has_both_go_on(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path, pause=True)
        prepared = prepare(home, "p.sub", GIVEN)
        prepared._parts[0].hold()
        prepared._parts[0].record(home, "kim", "")
        prepared.close()
        with pytest.raises(Refused) as refused:
            prepare_compensation(home, "p")
        assert codes(refused) == ["repair.child-repaired"]
        taken_up = take_up(home, "p.sub")
        assert isinstance(taken_up, Prepared)
        assert taken_up.preview["execution"] == "p"
        assert taken_up.carry_out("kim").status == "completed"
        assert called(home, "p.sub") == ["one", "two", "three", "four"]

    def test_if_it_has_changed_meanwhile_nothing_is_written_of_its_child_either(
        self, home: Home, tmp_path: Path
    ) -> None:
        start(home, tmp_path, pause=True)
        prepared = prepare(home, "p.sub", GIVEN)
        prepare_compensation(home, "p").carry_out("ida")
        with pytest.raises(ConflictError) as changed:
            prepared.carry_out("kim")
        assert changed.value.code == "repair.changed"
        assert not of_type(home, "p.sub", "repair.requested")

    def test_while_one_is_held_its_child_is_not_tried_again(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path, pause=True)
        held = prepare(home, "p", Ask("compensate", "a"))
        assert held.preview["children"] == []
        assert held.carry_out("kim").status == "paused"
        assert status(home, "p.sub") == "failed"
        prepared = prepare(home, "p", Ask("resume"))
        assert prepared.preview["children"] == ["p.sub"]
        prepared.carry_out("kim")
        assert called(home, "p.sub").count("three") == 2

    def test_one_that_is_paused_further_above_goes_on_too(self, home: Home, tmp_path: Path) -> None:
        start_three(home, tmp_path, pause=True)
        prepared = prepare(home, "t.sub.sub", GIVEN)
        assert prepared.preview["parents"] == ["t.sub", "t"]
        assert prepared.carry_out("kim").status == "completed"
        assert [status(home, each) for each in ("t.sub.sub", "t.sub", "t")] == ["completed"] * 3

    def test_one_that_is_paused_because_of_something_else_is_not_taken_from(self, home: Home, tmp_path: Path) -> None:
        passed = PARENT.replace("output: sub }", "onError: continue }").replace("$.sub", "1")
        start(home, tmp_path, passed.replace("b, service: s, action: do", "b, type: fail"), pause=True)
        with pytest.raises(Refused) as refused:
            prepare(home, "p.sub", GIVEN)
        assert codes(refused) == ["repair.parent"]


class TestFailedParents:
    def test_one_that_has_gone_on_and_failed_later_is_not_taken_from(self, home: Home, tmp_path: Path) -> None:
        passed = PARENT.replace("output: sub }", "onError: continue }").replace("$.sub", "1")
        start(home, tmp_path, passed.replace("b, service: s, action: do", "b, type: fail"))
        with pytest.raises(Refused) as refused:
            prepare(home, "p.sub", GIVEN)
        assert codes(refused) == ["repair.parent"]

    def test_all_above_stay_as_they_are(self, home: Home, tmp_path: Path) -> None:
        start_three(home, tmp_path, pause=False)
        prepared = prepare(home, "t.sub.sub", GIVEN)
        assert prepared.preview["parents"] == []
        assert prepared.carry_out("kim").execution == "t.sub.sub"
        assert [status(home, each) for each in ("t.sub.sub", "t.sub", "t")] == ["completed", "failed", "failed"]

    @pytest.mark.parametrize(
        "ask", [Ask("skip", "sub"), Ask("set-output", "sub", 1), Ask("rewind", "a"), Ask("set-input", "sub", {"n": 1})]
    )
    def test_nothing_is_done_that_forgets_what_the_child_has_done(self, home: Home, tmp_path: Path, ask: Ask) -> None:
        start(home, tmp_path)
        prepare(home, "p.sub", GIVEN).carry_out("kim")
        with pytest.raises(Refused) as refused:
            prepare(home, "p", ask)
        assert codes(refused) == ["repair.child-repaired"]
        assert "`wfrun compensate p.sub`" in refused.value.hint

    @pytest.mark.parametrize("ask", [Ask("resume"), Ask("rewind", "sub")])
    def test_what_takes_it_up_is_done(self, home: Home, tmp_path: Path, ask: Ask) -> None:
        start(home, tmp_path)
        prepare(home, "p.sub", GIVEN).carry_out("kim")
        assert prepare(home, "p", ask).carry_out("kim").view["output"] == 7
        assert called(home, "p.sub") == ["one", "two", "three", "four"]

    def test_once_it_is_undone_its_parent_goes_on_without_it(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepare(home, "p.sub", GIVEN).carry_out("kim")
        assert prepare_compensation(home, "p.sub").carry_out("kim").status == "compensated"
        assert prepare(home, "p", Ask("skip", "sub", 1)).carry_out("kim").status == "completed"

    def test_what_is_below_a_child_counts(self, home: Home, tmp_path: Path) -> None:
        start_three(home, tmp_path, pause=False)
        prepare(home, "t.sub.sub", GIVEN).carry_out("kim")
        with pytest.raises(Refused) as refused:
            prepare(home, "t", Ask("skip", "sub"))
        assert codes(refused) == ["repair.child-repaired"]

    def test_the_parent_may_have_been_repaired_meanwhile(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepared = prepare(home, "p.sub", GIVEN)
        prepare(home, "p", Ask("skip", "sub", 1)).carry_out("kim")
        with pytest.raises(ConflictError) as changed:
            prepared.carry_out("ida")
        assert changed.value.code == "repair.changed"
        assert status(home, "p.sub") == "failed"

    def test_the_child_may_have_been_repaired_meanwhile(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepared = prepare(home, "p", Ask("skip", "sub", 1))
        prepare(home, "p.sub", GIVEN).carry_out("kim")
        with pytest.raises(ConflictError) as changed:
            prepared.carry_out("ida")
        assert changed.value.code == "repair.changed"
        assert status(home, "p") == "failed"


class TestTriedAgain:
    """A child that failed tries again when its parent comes to it, and not before."""

    def test_its_journal_says_who_had_it_go_on(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepare(home, "p", Ask("resume")).carry_out("kim")
        (request,) = of_type(home, "p.sub", "repair.requested")
        assert (request["by"], request["reason"]) == ("p", "its parent tries it again")

    def test_one_that_its_parent_does_not_come_to_stays_as_it_is(self, home: Home, tmp_path: Path) -> None:
        only = PARENT.replace("name: sub, ", "name: sub, condition: $.a.ok == true, ").replace("$.sub\n", "1\n")
        start(home, tmp_path, only)
        outcome = prepare(home, "p", Ask("set-output", "a", {"ok": False})).carry_out("kim")
        assert (outcome.status, status(home, "p.sub")) == ("completed", "failed")
        with pytest.raises(Refused) as refused:
            take_up(home, "p.sub")
        assert codes(refused) == ["repair.parent"]

    def test_behind_what_runs_again_first_too(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepared = prepare(home, "p", Ask("rewind", "a"))
        assert prepared.preview["children"] == ["p.sub"]
        prepared.carry_out("kim")
        assert called(home, "p") == ["a", "a"]
        assert called(home, "p.sub").count("three") == 2

    @pytest.mark.parametrize("behind", [("execution.ended", 1), ("repair.requested", 1), ("execution.ended", 2)])
    def test_whoever_takes_over_does_not_have_it_try_once_more(
        self, home: Home, tmp_path: Path, behind: tuple[str, int]
    ) -> None:
        """The runner died when its parent had begun it anew, when it was to try again, or when it had failed again."""
        start(home, tmp_path)
        prepare(home, "p", Ask("resume")).carry_out("kim")
        cut_behind(home, "p", "child.started", 2)
        cut_behind(home, "p.sub", *behind)
        assert driving.resume(home, "p").status == "failed"
        assert called(home, "p.sub").count("three") == 2
        assert all(map(is_proved, prove(of_home(home, ["p", "p.sub"]))))

    def test_while_another_process_drives_its_parent_that_one_is_looked_for(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        journal, _ = prepare(home, "p", Ask("rewind", "a")).record("kim", "", None)
        journal.close()
        with pytest.raises(Refused) as refused:
            prepare(home, "p.sub", GIVEN)
        assert codes(refused) == ["repair.parent"]
        assert driving.resume(home, "p").status == "failed"
        assert called(home, "p.sub").count("three") == 2


def cut_behind(home: Home, execution: str, type: str, count: int) -> None:
    """Whatever a journal has behind its nth record of a type was never written."""
    path = Path(home.journal_path(execution))
    lines = path.read_bytes().splitlines(keepends=True)
    ends = [number for number, record in enumerate(Journal.read(home, execution)) if record["type"] == type]
    path.write_bytes(b"".join(lines[: ends[count - 1] + 1]))


def test_a_child_in_whose_place_another_one_has_failed_is_over(home: Home, tmp_path: Path) -> None:
    start(home, tmp_path)
    prepare(home, "p", Ask("set-input", "sub", {"n": 1})).carry_out("kim")
    assert Journal.read(home, "p.sub..r2")
    with pytest.raises(Refused) as refused:
        prepare(home, "p.sub", GIVEN)
    assert codes(refused) == ["repair.parent"]
