"""The local engine on a disk in memory: what is durable when, what is really stopped, what another process changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.journals import FaultyFiles, os_error
from tests.support.world import call, document
from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import Services
from wfrun.app.variables import variable
from wfrun.core.events import Record
from wfrun.core.instants import parse_instant
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.run import Run
from wfrun.engines import calls
from wfrun.engines.calls import GRACE_S
from wfrun.engines.local import engine
from wfrun.engines.local.driver import Driver
from wfrun.engines.local.engine import Interrupted, LocalEngine, open_engine, run_loop
from wfrun.errors import JournalError
from wfrun.journal.driver import DriverInfo
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.memory import MemoryFiles

ME: DriverInfo = {"host": "here", "pid": 1, "wfrun": "0"}


def now() -> datetime:
    return datetime.now(UTC)


class Bench:
    """A home in memory, one plan, and a mock service `svc` scripted by action."""

    def __init__(self, *steps: Any, actions: dict[str, Any] | None = None, **more: Any) -> None:
        self.files = MemoryFiles()
        self.home = Home("/home/state", self.files)
        self.plan: Plan = compile_plan(document({"name": "test", "steps": list(steps), **more}))[0]
        self.settings = {"adapter": "mock", "actions": actions or {}, "default": {"result": None}}
        self.seen: list[Record] = []
        self.others: Any = None

    def services(self) -> Services:
        return Services({"svc": ServiceConfig("svc", self.settings, Path("/"), variable)})

    def create(self, **input: Any) -> Journal:
        first: Any = {
            "type": "execution.started",
            "format": 1,
            "execution": "e1",
            "workflow": "test",
            "version": 1,
            "definition": "d" * 64,
            "input": input,
            "seed": "5eed",
            "initiator": "ann",
            "steps": self.plan.step_names,
            "origin": {"file": "test.yaml"},
        }
        return Journal.prepare(self.home, "e1", first)

    def open(self) -> Journal:
        return Journal.open(self.home, "e1")

    def run(
        self, journal: Journal, *, park: bool = True, meanwhile: Callable[[LocalEngine], Awaitable[None]] | None = None
    ) -> list[Record]:
        """Drive until the end (or until parked), with something else going on in the same loop."""

        async def main() -> None:
            journal.drive(ME)
            services = self.services()
            async with open_engine(self.home) as engine:
                driver = Driver(journal, Run(self.plan), services, engine.machine, self._observe, others=self.others)
                other = asyncio.ensure_future(meanwhile(engine)) if meanwhile else None
                await engine.drive(driver, park=park)
                if other:
                    await other
            await services.close()

        asyncio.run(main())
        return Journal.read(self.home, "e1")

    def _observe(self, execution: str, record: Record, fresh: bool) -> None:
        self.seen.append(record)


def types(records: list[Record]) -> list[str]:
    return [record["type"] for record in records]


def last(records: list[Record]) -> Record:
    return records[-1]


def test_an_execution_runs_to_its_end_and_the_observer_sees_only_what_is_durable() -> None:
    bench = Bench(call("a", input={"x": "$.x"}, output="a"), output="$.a", actions={"do": {"result": {"got": "$.x"}}})
    records = bench.run(bench.create(x=7))
    assert last(records)["output"] == {"got": 7}
    assert bench.seen == records
    assert Journal.read(Home("/home/state", bench.files.crash()), "e1") == records


def test_outcome_and_next_intent_share_one_sync() -> None:
    steps = [call(f"s{n}") for n in range(100)]
    bench = Bench(*steps)
    journal = bench.create()
    syncs = 0

    async def main() -> None:
        nonlocal syncs
        journal.drive(ME)
        async with open_engine(bench.home) as engine:
            driver = Driver(journal, Run(bench.plan), bench.services(), engine.machine)
            await engine.drive(driver, park=True)
            syncs = engine.machine.committer.syncs

    asyncio.run(main())
    assert last(journal.records)["status"] == "completed"
    assert syncs <= 102


def test_no_effect_before_its_intent_is_on_the_disk() -> None:
    """The service looks at what the disk would hold after a loss of power: its own intent must be there."""
    bench = Bench(call("a"), call("b"))
    durable: list[list[str]] = []

    class Looking:
        async def call(self, call: Any) -> Any:
            records = Journal.read(Home("/home/state", bench.files.crash()), "e1")
            durable.append([record["step"] for record in records if record["type"] == "step.started"])

    async def main() -> None:
        journal = bench.create()
        journal.drive(ME)
        async with open_engine(bench.home) as engine:
            await engine.drive(Driver(journal, Run(bench.plan), Looking(), engine.machine), park=True)

    asyncio.run(main())
    assert durable == [["a"], ["a", "b"]]


def test_a_call_that_takes_too_long_is_stopped_and_tried_again() -> None:
    answers = [{"hang": True}, {"hang": True}, {"result": "ok"}]
    retry = {"policy": "fixed", "initialDelay": "10ms", "maxRetries": 3}
    bench = Bench(call("a", timeout="30ms", retry=retry, output="a"), output="$.a", actions={"do": answers})
    records = bench.run(bench.create())
    errors = [record["error"] for record in records if record["type"] == "step.failed"]
    assert [error["type"] for error in errors] == ["timeout", "timeout"]
    assert errors[0]["message"] == "no answer within the timeout of 0.03 s"
    assert last(records)["output"] == "ok"


def test_a_call_that_gives_no_sign_of_life_is_stopped_and_tried_again() -> None:
    answers = [{"hang": True}, {"hang": True, "heartbeat": {"every": "20ms", "times": 5}}, {"result": "ok"}]
    retry = {"policy": "fixed", "initialDelay": "10ms", "maxRetries": 3}
    bench = Bench(call("a", heartbeat="80ms", retry=retry, output="a"), output="$.a", actions={"do": answers})
    records = bench.run(bench.create())
    began, ended = (
        [parse_instant(record["at"]) for record in records if record["type"] == type]
        for type in ("step.started", "step.failed")
    )
    first, second = ((end - begin).total_seconds() for begin, end in zip(began, ended, strict=False))
    assert 0.08 <= first < 0.16
    assert 0.18 <= second < 0.4
    errors = [record["error"] for record in records if record["type"] == "step.failed"]
    assert errors == [{"type": "timeout", "message": "no sign of life within the heartbeat of 0.08 s"}] * 2
    assert last(records)["output"] == "ok"


def test_a_call_that_gives_signs_of_life_may_take_its_time() -> None:
    answer = {"delay": "400ms", "heartbeat": {"every": "20ms"}, "result": "ok"}
    bench = Bench(call("a", heartbeat="150ms", output="a"), output="$.a", actions={"do": answer})
    assert last(bench.run(bench.create()))["output"] == "ok"


def test_signs_of_life_do_not_outlast_a_timeout() -> None:
    answer = {"hang": True, "heartbeat": {"every": "10ms"}}
    bench = Bench(call("a", heartbeat="50ms", timeout="100ms"), actions={"do": answer})
    assert last(bench.run(bench.create()))["error"]["message"] == "no answer within the timeout of 0.1 s"


def test_what_fell_silent_is_in_doubt() -> None:
    undo = {"service": "svc", "action": "undo"}
    bench = Bench(call("a", heartbeat="30ms", compensate=undo), actions={"do": {"hang": True}})
    records = bench.run(bench.create())
    assert [record["step"] for record in records if record["type"] == "step.completed"] == ["compensate:a"]


@pytest.mark.usefixtures("little_grace")
def test_silence_is_noticed_while_a_service_ignores_being_stopped() -> None:
    records = drive_stubbornly(Bench(call("a", heartbeat="50ms")))
    assert last(records)["error"]["message"] == "no sign of life within the heartbeat of 0.05 s"


def test_a_deadline_bounds_all_attempts() -> None:
    bench = Bench(call("a", deadline="80ms", timeout="1h"), actions={"do": {"hang": True}})
    records = bench.run(bench.create())
    assert last(records)["error"]["message"] == "no answer within the deadline of the step"


def test_branches_run_at_once() -> None:
    branches = [call(name) for name in "abc"]
    bench = Bench({"type": "parallel", "steps": branches}, actions={"do": {"delay": "150ms"}})
    began = now()
    records = bench.run(bench.create())
    assert last(records)["status"] == "completed"
    assert 0.15 <= (now() - began).total_seconds() < 0.4


def test_the_first_failure_stops_the_other_branch_for_good() -> None:
    actions = {"fail": {"error": {"type": "boom", "message": "no", "retryable": False}}, "do": {"hang": True}}
    branches = [{"name": "a", "service": "svc", "action": "fail"}, call("b")]
    bench = Bench({"type": "parallel", "steps": branches}, actions=actions)
    records = bench.run(bench.create())
    assert [record["step"] for record in records if record["type"] == "step.cancelled"] == ["b"]
    assert last(records)["error"]["type"] == "boom"


def test_what_is_stopped_in_the_turn_that_began_it_is_not_called() -> None:
    """Its end is not waited for, and there is nothing of it to be undone."""
    undone = {**call("a"), "compensate": {"service": "svc", "action": "undo"}}
    bench = Bench({"type": "parallel", "steps": [undone, {"type": "fail", "name": "no", "error": "nope"}]})
    records = bench.run(bench.create())
    (stopped,) = [record for record in records if record["type"] == "step.cancelled"]
    assert stopped["begun"] is False
    assert last(records)["status"] == "failed"
    started = next(record for record in records if record["type"] == "step.started")
    assert (parse_instant(stopped["at"]) - parse_instant(started["at"])).total_seconds() < GRACE_S


def test_it_parks_where_a_person_has_to_decide_and_goes_on_later() -> None:
    bench = Bench({"type": "human-task", "name": "ask", "assignee": "bob", "timeout": "1h"}, call("a"))
    records = bench.run(bench.create())
    assert last(records)["type"] == "task.created"
    assert last(records)["due"] > last(records)["at"]
    with (visitor := bench.open()).turn():
        visitor.add(
            {"type": "task.decided", "task": "e1/ask", "decision": "approved", "by": "bob", "comment": "", "data": {}}
        )
        visitor.sync()
    visitor.close()
    assert last(bench.run(bench.open()))["status"] == "completed"


def test_a_decision_made_elsewhere_is_noticed_within_a_tenth_of_a_second() -> None:
    bench = Bench({"type": "human-task", "name": "ask", "assignee": "bob"})
    decided: list[datetime] = []

    async def somebody(engine: LocalEngine) -> None:
        await asyncio.sleep(0.2)
        with (visitor := bench.open()).turn():
            visitor.add(
                {
                    "type": "task.decided",
                    "task": "e1/ask",
                    "decision": "approved",
                    "by": "bob",
                    "comment": "",
                    "data": {},
                }
            )
            visitor.sync()
        decided.append(now())
        visitor.close()

    records = bench.run(bench.create(), park=False, meanwhile=somebody)
    assert last(records)["status"] == "completed"
    ended = datetime.fromisoformat(last(records)["at"])
    assert (ended - decided[0]).total_seconds() < 0.1


def test_a_task_that_expired_while_nothing_ran_expires_when_something_does() -> None:
    bench = Bench({"type": "human-task", "name": "ask", "assignee": "bob", "timeout": "300ms"})
    assert last(bench.run(bench.create()))["type"] == "task.created"
    time.sleep(0.3)
    records = bench.run(bench.open())
    assert types(records)[-2:] == ["task.expired", "execution.ended"]
    assert last(records)["error"]["type"] == "task.timeout"


def test_a_wait_for_a_retry_survives_its_runner() -> None:
    """Neither shortened nor started anew, and the count of attempts goes on."""
    answers = [{"error": {"type": "boom", "message": "no"}}, {"result": "ok"}]
    retry = {"policy": "fixed", "initialDelay": "300ms", "maxRetries": 1, "jitter": 0}
    bench = Bench(call("a", retry=retry), actions={"do": answers})

    async def interrupt(engine: LocalEngine) -> None:
        await asyncio.sleep(0.1)
        engine.interrupt("SIGTERM")

    with pytest.raises(Interrupted):
        bench.run(bench.create(), meanwhile=interrupt)
    bench.settings["actions"] = {"do": {"result": "ok"}}
    records = bench.run(bench.open())
    (timer,) = (record for record in records if record["type"] == "timer.started")
    second = [record for record in records if record["type"] == "step.started"][1]
    assert second["attempt"] == 2
    assert timer["due"] <= second["at"]
    assert last(records)["status"] == "completed"


def test_an_interrupted_call_has_no_outcome_and_is_repeated_with_its_key() -> None:
    bench = Bench(call("a"), actions={"do": {"hang": True}})

    async def interrupt(engine: LocalEngine) -> None:
        await asyncio.sleep(0.05)
        engine.interrupt("SIGINT")

    with pytest.raises(Interrupted):
        bench.run(bench.create(), meanwhile=interrupt)
    assert last(Journal.read(bench.home, "e1")) | {"at": "", "prev": "", "seq": 0} == {
        "type": "driver.stopped",
        "epoch": 1,
        "reason": "SIGINT",
        "at": "",
        "prev": "",
        "seq": 0,
    }
    bench.settings["actions"] = {"do": {"result": "ok"}}
    started = [record for record in bench.run(bench.open()) if record["type"] == "step.started"]
    assert [(record["attempt"], record["epoch"], record["key"]) for record in started] == [
        (1, 1, "e1/a"),
        (1, 2, "e1/a"),
    ]


def test_a_cancellation_from_elsewhere_stops_the_call_and_compensates() -> None:
    undo = {"service": "svc", "action": "undo"}
    bench = Bench(
        {"name": "a", "service": "svc", "action": "quick", "compensate": undo},
        call("b"),
        actions={"do": {"hang": True}},
    )

    async def somebody(engine: LocalEngine) -> None:
        await asyncio.sleep(0.1)
        with (visitor := bench.open()).turn():
            visitor.add({"type": "cancel.requested", "by": "eve", "reason": "changed my mind"})
            visitor.sync()
        visitor.close()

    records = bench.run(bench.create(), meanwhile=somebody)
    assert last(records)["status"] == "cancelled"
    assert [record["step"] for record in records if record["type"] == "step.started"] == ["a", "b", "compensate:a"]


def test_a_cancelled_call_whose_runner_died_is_not_begun_again() -> None:
    bench = Bench(call("a"))
    journal = bench.create()
    with journal.turn():
        journal.add({"type": "driver.started", "epoch": 1, "host": "here", "pid": 1, "wfrun": "0"})
        journal.add(
            {
                "type": "step.started",
                "step": "a",
                "attempt": 1,
                "service": "svc",
                "action": "do",
                "key": "e1/a",
                "inputHash": "",
                "epoch": 1,
            }
        )
        journal.add({"type": "cancel.requested", "by": "eve", "reason": ""})
    journal.sync()
    journal.close()
    records = bench.run(bench.open())
    assert types(records)[-3:] == ["driver.started", "step.cancelled", "execution.ended"]


def test_whatever_an_adapter_raises_is_the_steps_failure() -> None:
    bench = Bench(call("a"))

    class Odd:
        async def call(self, call: Any) -> Any:
            raise KeyError("oops")

    async def main() -> Journal:
        journal = bench.create()
        journal.drive(ME)
        async with open_engine(bench.home) as engine:
            await engine.drive(Driver(journal, Run(bench.plan), Odd(), engine.machine), park=True)
        return journal

    records = asyncio.run(main()).records
    assert last(records)["error"]["type"] == "adapter.defect"


def test_a_disk_that_fails_stops_the_execution_before_the_effect() -> None:
    bench = Bench(call("a"))
    called: list[str] = []

    class Counting:
        async def call(self, call: Any) -> Any:
            called.append(call.step)

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    async def main() -> None:
        journal = bench.create()
        journal.drive(ME)
        async with open_engine(bench.home) as engine:
            bench.files.sync = fail  # type: ignore[method-assign]
            await engine.drive(Driver(journal, Run(bench.plan), Counting(), engine.machine), park=True)

    with pytest.raises(JournalError):
        asyncio.run(main())
    assert called == []


class Stubborn:
    """A service that ignores being told to stop."""

    async def call(self, call: Any) -> Any:
        while True:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                continue


def drive_stubbornly(bench: Bench, meanwhile: Callable[[LocalEngine], Awaitable[None]] | None = None) -> list[Record]:
    async def main() -> None:
        journal = bench.create()
        journal.drive(ME)
        async with open_engine(bench.home) as engine:
            other = asyncio.ensure_future(meanwhile(engine)) if meanwhile else None
            await engine.drive(Driver(journal, Run(bench.plan), Stubborn(), engine.machine), park=True)
            if other:
                await other

    run_loop(main())
    return Journal.read(bench.home, "e1")


@pytest.fixture
def little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "GRACE_S", 0.1)
    monkeypatch.setattr(engine, "LEFT_OVER_S", 0.1)


@pytest.mark.usefixtures("little_grace")
def test_a_call_that_ignores_its_timeout_is_given_up_and_in_doubt() -> None:
    bench = Bench(call("a", timeout="50ms", compensate={"service": "svc", "action": "undo", "timeout": "50ms"}))
    records = drive_stubbornly(bench)
    assert [record["error"]["type"] for record in records if record["type"] == "step.failed"] == ["timeout", "timeout"]
    assert last(records)["status"] == "needs-attention"


@pytest.mark.usefixtures("little_grace")
def test_a_call_that_ignores_being_interrupted_does_not_keep_the_process() -> None:
    async def interrupt(engine: LocalEngine) -> None:
        await asyncio.sleep(0.05)
        engine.interrupt("SIGINT")

    bench = Bench(call("a"))
    with pytest.raises(Interrupted):
        drive_stubbornly(bench, interrupt)
    assert last(Journal.read(bench.home, "e1"))["type"] == "driver.stopped"


class Base(BaseException):
    pass


@pytest.mark.parametrize("error", [Base("x"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_no_exception_of_a_service_ends_or_hangs_the_run(error: BaseException) -> None:
    bench = Bench(call("a"))

    class Odd:
        async def call(self, call: Any) -> Any:
            raise error

    async def main() -> None:
        journal = bench.create()
        journal.drive(ME)
        async with open_engine(bench.home) as engine:
            await engine.drive(Driver(journal, Run(bench.plan), Odd(), engine.machine), park=True)

    asyncio.run(main())
    assert last(Journal.read(bench.home, "e1"))["error"]["type"] == "adapter.defect"


class Unreachable:
    """Others on a disk that fails."""

    def __getattr__(self, name: str) -> Any:
        def fail(*arguments: Any) -> Any:
            raise JournalError("journal.io", "cannot be written")

        return fail

    def rest(self) -> None: ...


@pytest.mark.parametrize("kind", ["emit", "workflow"])
def test_a_disk_that_fails_for_others_stops_the_execution_and_is_no_failure_of_the_step(kind: str) -> None:
    step = {"type": "emit", "name": "tell", "event": "told"}
    if kind == "workflow":
        step = {"type": "workflow", "name": "child", "workflow": "other"}
    bench = Bench(step)
    bench.others = Unreachable()
    with pytest.raises(JournalError, match="cannot be written"):
        bench.run(bench.create())
    assert types(Journal.read(bench.home, "e1"))[-1] in ("event.emitted", "child.started")


def test_trouble_with_a_look_ends_the_execution_and_not_the_looking() -> None:
    bench = Bench({"type": "human-task", "name": "ask", "assignee": "bob"})
    broken = False
    faulty = FaultyFiles(bench.files, lambda number, name: os_error() if broken and name == "stat" else None)
    bench.home = Home("/home/state", faulty.door)

    async def somebody(engine: LocalEngine) -> None:
        nonlocal broken
        await asyncio.sleep(0.1)
        broken = True

    with pytest.raises(JournalError, match="cannot be used"):
        bench.run(bench.create(), park=False, meanwhile=somebody)
