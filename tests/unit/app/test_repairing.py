"""Repairs on a real disk: what is refused, what is written, and what becomes of children and parents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wfrun.app import driving
from wfrun.app.answering import retry_now
from wfrun.app.in_force import workflow_of
from wfrun.app.onward import Way
from wfrun.app.repairing import Ask, Prepared, Refused, prepare, prepare_compensation, prepare_resume
from wfrun.errors import ConflictError, InvalidError, NotFoundError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal

SERVICES = """services:
  s:
    adapter: mock
    record: calls.jsonl
    default: { result: { ok: true } }
    actions: { no: { error: { type: shop.closed, message: closed } } }"""
PAUSE = "errorHandling: { onFailure: pause }"

SHOP = f"""
name: shop
version: 1
{SERVICES}
input: {{ n: integer }}
HANDLING
steps:
  - {{ name: one, service: s, action: do, input: {{ n: $.n }}, output: one, UNDO }}
  - {{ name: two, condition: $.n > 1, service: s, action: do }}
  - {{ name: three, service: s, action: no, input: $.one, output: three }}
  - {{ name: four, service: s, action: do, output: four }}
output: $.three
""".replace("UNDO", "compensate: { service: s, action: undo }")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def write(folder: Path, text: str = SHOP, *, pause: bool = True, name: str = "shop.yaml") -> str:
    (folder / name).write_text(text.replace("HANDLING", PAUSE if pause else "").replace("  HANDLING", ""))
    return str(folder / name)


def start(home: Home, folder: Path, **more: Any) -> str:
    driving.run(home, workflow=write(folder, **more), input={"n": 3}, execution="e")
    return "e"


def of_type(home: Home, execution: str, *types: str) -> list[Any]:
    return [record for record in Journal.read(home, execution) if record["type"] in types]


def called(home: Home, execution: str) -> list[str]:
    return [record["step"] for record in of_type(home, execution, "step.started")]


def files(home: Home) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(home.path).rglob("*") if path.is_file()}


def codes(refused: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in refused.value.problems]


class TestPreparing:
    def test_it_is_looked_at_without_writing_anything(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        before = files(home)
        prepared = prepare(home, "e", Ask("rewind", "one"))
        prepared.close()
        assert files(home) == before
        assert prepared.preview["undo"] == ["one"]
        assert prepared.preview["again"] == ["one", "two", "three"]
        assert {(each["type"], each["step"]) for each in prepared.preview["setAside"]} >= {
            ("step.completed", "one"),
            ("execution.paused", None),
        }

    def test_a_beginning_of_the_id_will_do(self, home: Home, tmp_path: Path) -> None:
        driving.run(home, workflow=write(tmp_path), input={"n": 3}, execution="k7m2x9qd")
        prepared = prepare(home, "k7", Ask("resume"))
        prepared.close()
        assert prepared.preview["execution"] == "k7m2x9qd"

    @pytest.mark.parametrize(
        ("ask", "code", "hint"),
        [
            (Ask("skip", "thre"), "repair.unknown-step", "did you mean 'three'?"),
            (Ask("skip", "four"), "repair.not-run", ""),
            (Ask("skip", "two", 1), "repair.output", "`skip`"),
            (Ask("set-output", "three"), "repair.value", ""),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, home: Home, tmp_path: Path, ask: Ask, code: str, hint: str) -> None:
        start(home, tmp_path)
        before = files(home)
        with pytest.raises(Refused, match="execution e: ") as refused:
            prepare(home, "e", ask)
        assert codes(refused) == [code]
        assert hint in refused.value.hint
        assert refused.value.exit_code == 2
        assert files(home) == before

    def test_nothing_is_done_to_what_another_process_drives(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        other = Journal.open(home, "e")
        other.drive({"host": "h", "pid": 1, "wfrun": "0"})
        try:
            with pytest.raises(ConflictError, match="is being run by process 1 on h"):
                prepare(home, "e", Ask("resume"))
            with pytest.raises(ConflictError, match="is being run by process 1 on h"):
                prepare_compensation(home, "e")
        finally:
            other.close()

    def test_it_is_not_carried_out_if_something_has_happened_meanwhile(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepared = prepare(home, "e", Ask("rewind", "one"))
        prepare(home, "e", Ask("skip", "three")).carry_out("kim")
        with pytest.raises(ConflictError) as changed:
            prepared.carry_out("ada")
        assert changed.value.code == "repair.changed"
        assert called(home, "e") == ["one", "two", "three", "four"]

    def test_what_calls_need_is_looked_at_before_anything_is_written(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        services = tmp_path / "services.yaml"
        services.write_text(
            "s: { adapter: http, baseUrl: '${env.NO_SUCH_URL}', actions: { no: POST /, do: POST /, undo: POST / } }"
        )
        prepared = prepare(home, "e", Ask("resume"))
        before = Journal.read(home, "e")
        with pytest.raises(InvalidError, match="NO_SUCH_URL"):
            prepared.carry_out("ada", way=Way(str(services)))
        assert Journal.read(home, "e") == before


class TestCarryingOut:
    def test_who_and_why_is_kept(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        outcome = prepare(home, "e", Ask("set-output", "three", {"by": "hand"})).carry_out("kim", "it was there")
        assert (outcome.status, outcome.view["output"]) == ("completed", {"by": "hand"})
        (request,) = of_type(home, "e", "repair.requested")
        assert (request["action"], request["step"], request["value"]) == ("set-output", "three", {"by": "hand"})
        assert (request["by"], request["reason"]) == ("kim", "it was there")

    def test_what_is_undone_runs_again_under_another_key(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepare(home, "e", Ask("rewind", "one")).carry_out("kim")
        keys = [record["key"] for record in of_type(home, "e", "step.started") if record["step"] == "one"]
        assert keys == ["e/one", "e/one~2"]
        assert "compensate:one" in called(home, "e")

    def test_without_being_undone_it_runs_again_under_the_same(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepare(home, "e", Ask("rewind", "one", keep=True)).carry_out("kim")
        assert "compensate:one" not in called(home, "e")
        keys = [record["key"] for record in of_type(home, "e", "step.started") if record["step"] == "one"]
        assert keys == ["e/one", "e/one"]

    def test_undone_back_to_a_step_it_waits(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        outcome = prepare(home, "e", Ask("compensate", "two")).carry_out("kim")
        assert outcome.status == "paused"
        assert prepare_resume(home, "e") is not None

    def test_all_of_it_is_undone(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        prepared = prepare_compensation(home, "e")
        assert prepared.preview["undo"] == ["one"]
        assert prepared.carry_out("kim").status == "compensated"
        with pytest.raises(Refused) as refused:
            prepare_compensation(home, "e")
        assert codes(refused) == ["repair.undone"]


class TestResuming:
    def test_what_failed_is_tried_again_paused_or_not(self, home: Home, tmp_path: Path) -> None:
        text = SHOP.replace(", compensate: { service: s, action: undo }", "").replace("HANDLING\n", "")
        start(home, tmp_path, text=text)
        prepared = prepare_resume(home, "e")
        assert prepared is not None
        assert prepared.carry_out("kim").status == "failed"
        assert called(home, "e") == ["one", "two", "three", "three"]

    @pytest.mark.parametrize("text", [SHOP.replace("action: no", "action: do"), SHOP.replace("HANDLING\n", "")])
    def test_what_is_over_and_done_or_undone_is_not(self, home: Home, tmp_path: Path, text: str) -> None:
        start(home, tmp_path, text=text)
        assert prepare_resume(home, "e") is None

    def test_one_that_was_cancelled_while_it_was_paused_is_not(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        journal = Journal.open(home, "e")
        with journal.turn():
            journal.add({"type": "cancel.requested", "by": "kim", "reason": ""})
            journal.sync()
        journal.close()
        assert prepare_resume(home, "e") is None
        assert driving.resume(home, "e").status == "cancelled"


FIXED = SHOP.replace("action: no", "action: do").replace("version: 1", "version: 2")


class TestReplacing:
    def fixed(self, home: Home, folder: Path, text: str) -> Prepared:
        return prepare(home, "e", Ask("replace", file=write(folder, text, name="fixed.yaml")))

    def test_it_goes_on_with_another_workflow(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        more = FIXED.replace("output: $.three", "  - { name: five, service: s, action: do }\noutput: $.three")
        outcome = self.fixed(home, tmp_path, more).carry_out("kim")
        assert (outcome.status, outcome.view["version"]) == ("completed", 2)
        assert [row["step"] for row in outcome.view["steps"]] == ["one", "two", "three", "four", "five"]
        assert called(home, "e") == ["one", "two", "three", "three", "four", "five"]

    def test_the_file_is_not_asked_again(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        ask = FIXED.replace("service: s, action: do, output: four", "type: human-task, assignee: bob")
        assert self.fixed(home, tmp_path, ask).carry_out("kim").status == "waiting"
        (tmp_path / "fixed.yaml").unlink()
        decided = driving.decide(home, "e", decision="approved", by="bob")
        assert (decided.status, decided.view["output"]) == ("completed", {"ok": True})

    def test_it_may_have_services_of_its_own_beside_those_before(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        renamed = FIXED.replace("  s:\n", "  t:\n").replace("service: s,", "service: t,")
        kept = renamed.replace("service: t, action: do, input", "service: s, action: do, input")
        with pytest.raises(InvalidError, match="service 's'"):
            self.fixed(home, tmp_path, kept)
        assert self.fixed(home, tmp_path, renamed).carry_out("kim").status == "completed"
        assert set(workflow_of(home, Journal.read(home, "e"), None).services) == {"s", "t"}

    def test_it_may_run_executions_and_wait_for_events_of_its_own(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        (tmp_path / "inner.yaml").write_text(f"name: inner\n{SERVICES}\nsteps: {{ name: x, service: s, action: do }}\n")
        more = "{ name: sub, type: workflow, workflow: inner }\n  - { name: paid, type: wait, event: paid }"
        text = FIXED.replace("{ name: four, service: s, action: do, output: four }", more)
        assert self.fixed(home, tmp_path, text).carry_out("kim").status == "waiting"
        assert called(home, "e.sub") == ["x"]
        assert driving.emit(home, "paid").reached == ["e"]
        assert driving.resume(home, "e").status == "completed"

    def test_a_replacement_can_be_replaced(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path)
        assert self.fixed(home, tmp_path, SHOP.replace("version: 1", "version: 2")).carry_out("kim").status == "paused"
        outcome = self.fixed(home, tmp_path, FIXED.replace("version: 2", "version: 3")).carry_out("kim")
        assert (outcome.status, outcome.view["version"]) == ("completed", 3)

    @pytest.mark.parametrize(
        ("change", "code", "line"),
        [
            (("name: shop", "name: shopp"), "repair.another-workflow", 2),
            (("n: integer }", "n: integer, m: string }"), "field.missing", 0),
            (("n: integer }", "n: integer, m: { type: string, default: x } }"), "repair.input-missing", 10),
            (("name: two", "name: zwei"), "repair.step-gone", 12),
            (("$.n > 1", "$.n > 7"), "repair.step-differs", 14),
            (("{ n: $.n }", "{ n: 5 }"), "repair.step-differs", 13),
            (
                ("  - { name: one", "  - { name: zero, service: s, action: do }\n  - { name: one"),
                "repair.step-moved",
                14,
            ),
            (("action: do, output: four", "actoin: do, action: do"), "schema.unknown-key", 16),
        ],
    )
    def test_one_that_does_not_fit_is_refused_with_the_line(
        self, home: Home, tmp_path: Path, change: tuple[str, str], code: str, line: int
    ) -> None:
        start(home, tmp_path)
        before = files(home)
        with pytest.raises(InvalidError) as invalid:
            self.fixed(home, tmp_path, FIXED.replace(*change))
        assert code in codes(invalid)
        problem = next(each for each in invalid.value.problems if each.code == code)
        assert problem.place.line == line
        assert files(home) == before

    def test_what_is_over_is_not_gone_on_with(self, home: Home, tmp_path: Path) -> None:
        start(home, tmp_path, text=SHOP.replace("action: no", "action: do"))
        with pytest.raises(Refused) as refused:
            self.fixed(home, tmp_path, FIXED)
        assert codes(refused) == ["repair.completed"]


class TestWaiting:
    NAP = f"name: nap\n{SERVICES}\nsteps:\n  - {{ name: nap, type: wait, for: 1h }}\n"

    def test_a_wait_is_ended(self, home: Home, tmp_path: Path) -> None:
        path = write(tmp_path, self.NAP, name="nap.yaml")
        journal = _parked(home, path)
        journal.close()
        assert retry_now(home, "e", "nap", by="kim", reason="no time").status == "completed"
        (fired,) = of_type(home, "e", "timer.fired")
        assert (fired["by"], fired["reason"]) == ("kim", "no time")

    def test_without_a_step_only_retries_are_meant(self, home: Home, tmp_path: Path) -> None:
        _parked(home, write(tmp_path, self.NAP, name="nap.yaml")).close()
        with pytest.raises(NotFoundError, match="nothing in e waits for a further attempt"):
            retry_now(home, "e", None, by="kim")
        with pytest.raises(NotFoundError, match="'nup' does not wait"):
            retry_now(home, "e", "nup", by="kim")

    def test_the_next_attempt_is_made_at_once(self, home: Home, tmp_path: Path) -> None:
        retry = "retry: { policy: fixed, initialDelay: 1h, maxRetries: 1 }"
        text = f"name: r\n{SERVICES}\nsteps:\n  - {{ name: a, service: s, action: no, {retry} }}\n"
        _parked(home, write(tmp_path, text, name="r.yaml"), until="timer.started").close()
        assert retry_now(home, "e", None, by="kim").status == "failed"
        assert called(home, "e") == ["a", "a"]


def _parked(home: Home, path: str, until: str = "timer.started") -> Journal:
    """An execution whose process was stopped when it had written such a record."""
    import os
    import signal

    def stop(execution: str, record: Any, fresh: bool) -> None:
        if record["type"] == until:
            os.kill(os.getpid(), signal.SIGTERM)

    driving.run(home, workflow=path, execution="e", way=Way(observer=stop))
    return Journal.open(home, "e")


PARENT = f"""
name: parent
{SERVICES}
HANDLING
steps:
  - {{ name: a, service: s, action: do }}
  - {{ name: sub, type: workflow, workflow: shop, input: {{ n: 3 }}, output: sub }}
  - {{ name: b, service: s, action: do }}
output: $.sub
"""
PLAIN = SHOP.replace(", compensate: { service: s, action: undo }", "")


class TestChildren:
    def start(self, home: Home, folder: Path, child: str, parent: str = PARENT, *, pause: bool = False) -> None:
        write(folder, child, pause=pause)
        driving.run(home, workflow=write(folder, parent, name="parent.yaml", pause=False), execution="p")

    def test_with_its_parent_a_failed_child_is_tried_again(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, PLAIN)
        prepared = prepare_resume(home, "p")
        assert prepared is not None
        assert prepared.preview["children"] == ["p.sub"]
        prepared.carry_out("kim")
        assert called(home, "p.sub") == ["one", "two", "three", "three"]
        assert [record["step"] for record in of_type(home, "p", "child.started")] == ["sub", "sub"]

    def test_one_that_was_undone_begins_anew(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, SHOP)
        prepared = prepare_resume(home, "p")
        assert prepared is not None
        assert prepared.preview["children"] == []
        prepared.carry_out("kim")
        assert called(home, "p.sub..r2") == ["one", "two", "three", "compensate:one"]

    @pytest.mark.parametrize("ask", [Ask("rewind", "two"), Ask("skip", "three")])
    def test_one_that_was_undone_is_not_repaired_beside_the_one_in_its_place(
        self, home: Home, tmp_path: Path, ask: Ask
    ) -> None:
        self.start(home, tmp_path, SHOP)
        with pytest.raises(Refused) as refused:
            prepare(home, "p.sub", ask)
        assert codes(refused) == ["repair.parent"]
        assert "`wfrun resume p`" in refused.value.hint

    def test_repaired_alone_it_leaves_its_parent_alone_until_that_is_resumed(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, PLAIN)
        outcome = prepare(home, "p.sub", Ask("set-output", "three", 7)).carry_out("kim")
        assert (outcome.execution, outcome.status) == ("p.sub", "completed")
        assert "`wfrun resume p`" in outcome.note
        assert driving.resume(home, "p.sub").status == "completed"
        assert not of_type(home, "p", "repair.requested")
        prepared = prepare_resume(home, "p")
        assert prepared is not None
        assert prepared.preview["children"] == []
        resumed = prepared.carry_out("kim")
        assert (resumed.status, resumed.view["output"]) == ("completed", 7)
        assert called(home, "p.sub") == ["one", "two", "three", "four"]

    def test_one_that_its_parent_waits_for_goes_on_with_it(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, SHOP, pause=True)
        outcome = prepare(home, "p.sub", Ask("skip", "three", {"by": "hand"})).carry_out("kim")
        assert (outcome.execution, outcome.status) == ("p", "completed")
        assert outcome.view["output"] == {"by": "hand"}

    def test_what_its_parent_has_gone_on_from_is_not_taken_from_under_it(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, PLAIN, PARENT.replace("output: sub }", "onError: continue }").replace("$.sub", "1"))
        with pytest.raises(Refused) as refused:
            prepare(home, "p.sub", Ask("resume"))
        assert codes(refused) == ["repair.parent"]
        assert "wfrun rewind p sub" in refused.value.hint

    def test_with_another_input_a_failed_child_is_left_for_another_one(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, PLAIN)
        prepared = prepare(home, "p", Ask("set-input", "sub", {"n": 1}))
        assert prepared.preview["children"] == []
        prepared.carry_out("kim")
        assert called(home, "p.sub") == ["one", "two", "three"]
        assert called(home, "p.sub..r2") == ["one", "three"]

    def test_with_the_same_input_it_is_tried_again(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, PLAIN)
        prepared = prepare(home, "p", Ask("set-input", "sub", {"n": 3}))
        prepared.close()
        assert prepared.preview["children"] == ["p.sub"]

    def test_so_is_one_that_its_parent_has_gone_on_from(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, PLAIN, PARENT.replace("output: sub }", "onError: continue }").replace("$.sub", "1"))
        prepare(home, "p", Ask("set-input", "sub", {"n": 1})).carry_out("kim")
        assert called(home, "p.sub..r2") == ["one", "three"]

    def test_one_of_which_something_is_left_is_undone_first(self, home: Home, tmp_path: Path) -> None:
        self.start(home, tmp_path, SHOP.replace("action: undo", "action: no"))
        prepared = prepare(home, "p", Ask("set-input", "sub", {"n": 1}))
        prepared.close()
        assert (prepared.preview["undo"], prepared.preview["children"]) == (["sub"], [])

    def test_below_a_child_its_own_are_tried_again_too(self, home: Home, tmp_path: Path) -> None:
        write(tmp_path, PLAIN, pause=False)
        write(tmp_path, PARENT, name="parent.yaml", pause=False)
        top = PARENT.replace("name: parent", "name: top").replace("workflow: shop, input: { n: 3 }", "workflow: parent")
        driving.run(home, workflow=write(tmp_path, top, name="top.yaml", pause=False), execution="t")
        prepared = prepare_resume(home, "t")
        assert prepared is not None
        assert prepared.preview["children"] == ["t.sub.sub", "t.sub"]
        prepared.carry_out("kim")
        assert called(home, "t.sub.sub").count("three") == 2
