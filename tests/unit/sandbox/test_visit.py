"""One call: its effect, its key, its faults, and what undoes it."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from wfrun import ServiceError
from wfrun.sandbox import Sandbox, faults

Ask = Callable[..., dict[str, Any]]
Rows = Callable[[str], list[tuple[Any, ...]]]
DEPOSITS = "SELECT reference, amount, taken_back IS NOT NULL FROM deposits"
OUTCOMES = "SELECT outcome FROM calls ORDER BY id"


def refused(ask: Ask, *arguments: str, **fields: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        ask(*arguments, **fields)
    return caught.value


def test_a_call_has_an_effect_and_stands_in_the_ledger(ask: Ask, rows: Rows) -> None:
    assert ask("bank.deposit", "k1", reference="r1", amount=5) == {"saved": 5, "by": "pay"}
    assert rows(DEPOSITS) == [("r1", 5, 0)]
    ledger = rows("SELECT system, action, key, execution, step, attempt, input, outcome FROM calls")
    assert ledger == [("bank", "deposit", "k1", "k7m2x9qd", "pay", 1, '{"amount": 5, "reference": "r1"}', "done")]


def test_the_same_key_gets_the_first_answer_and_no_second_effect(ask: Ask, rows: Rows) -> None:
    first = ask("bank.deposit", "k1", reference="r1", amount=5)
    assert ask("bank.deposit", "k1", reference="r1", amount=5) == first
    assert rows(DEPOSITS) == [("r1", 5, 0)]
    assert rows(OUTCOMES) == [("done",), ("repeated",)]


@pytest.mark.parametrize(
    ("action", "fields"),
    [("bank.deposit", {"reference": "r1", "amount": 6}), ("bank.takeBack", {"reference": "r1"})],
)
def test_the_same_key_for_something_else_is_a_mismatch(
    ask: Ask, rows: Rows, action: str, fields: dict[str, Any]
) -> None:
    ask("bank.deposit", "k1", reference="r1", amount=5)
    error = refused(ask, action, "k1", **fields)
    assert (error.type, error.status, error.retryable) == ("idempotency.mismatch", 422, False)
    assert rows(DEPOSITS) == [("r1", 5, 0)]


def test_fifty_calls_at_once_with_one_key_have_one_effect(ask: Ask, rows: Rows) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: ask("bank.deposit", "k1", reference="r1", amount=5), range(50)))
    assert answers == [{"saved": 5, "by": "pay"}] * 50
    assert rows(DEPOSITS) == [("r1", 5, 0)]
    assert sorted(rows(OUTCOMES)) == [("done",)] + [("repeated",)] * 49


def test_fifty_keys_at_once_have_fifty_effects(ask: Ask, rows: Rows) -> None:
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda n: ask("bank.deposit", f"k{n}", reference=f"r{n}", amount=n), range(50)))
    assert rows("SELECT count(*), sum(amount) FROM deposits") == [(50, sum(range(50)))]


def test_a_defect_leaves_no_effect_and_is_not_remembered(ask: Ask, rows: Rows) -> None:
    with pytest.raises(ZeroDivisionError):
        ask("bank.deposit", "k1", reference="r1", amount=2000)
    assert rows(DEPOSITS) == []
    assert rows("SELECT count(*) FROM answers") == [(0,)]
    assert rows(OUTCOMES) == [("ZeroDivisionError",)]


def test_a_missing_field_is_the_callers_mistake(ask: Ask) -> None:
    error = refused(ask, "bank.deposit", "k1", amount=5)
    assert (error.type, error.message) == ("request.invalid", "the input lacks 'reference'")


def test_an_input_that_is_no_object_is_refused(world: Sandbox) -> None:
    from types import SimpleNamespace

    caller = SimpleNamespace(execution="e", step="s", attempt=1, idempotency_key="k")
    with pytest.raises(ServiceError, match=r"bank.deposit needs a JSON object"):
        world.perform(world.actions["bank.deposit"], "r1", caller)


def test_another_key_for_the_same_reference_is_a_conflict(ask: Ask, rows: Rows) -> None:
    ask("bank.deposit", "k1", reference="r1", amount=5)
    error = refused(ask, "bank.deposit", "k2", reference="r1", amount=5)
    assert (error.type, error.status) == ("bank.conflict", 409)
    assert rows(DEPOSITS) == [("r1", 5, 0)]


def test_undoing_is_an_effect_too_and_happens_once(ask: Ask, rows: Rows) -> None:
    ask("bank.deposit", "k1", reference="r1", amount=5)
    assert ask("bank.takeBack", "c1", reference="r1") == {"returned": 5}
    assert ask("bank.takeBack", "c1", reference="r1") == {"returned": 5}
    assert ask("bank.takeBack", "c2", reference="r1") == {"returned": 0}
    assert rows(DEPOSITS) == [("r1", 5, 1)]


def test_what_was_undone_before_it_arrived_never_happens(ask: Ask, rows: Rows) -> None:
    assert ask("bank.takeBack", "c1", reference="r1") == {"returned": 0}
    error = refused(ask, "bank.deposit", "k1", reference="r1", amount=5)
    assert (error.type, error.status, error.retryable) == ("bank.undone", 409, False)
    assert ask("bank.deposit", "k2", reference="r2", amount=5)["saved"] == 5
    assert rows(DEPOSITS) == [("r2", 5, 0)]


def test_declined_is_final_and_without_effect(ask: Ask, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=decline")
    error = refused(ask, "bank.deposit", "k1", reference="r1", amount=5)
    assert (error.type, error.status, error.retryable) == ("bank.declined", 402, False)
    assert rows(DEPOSITS) == []


def test_what_was_accepted_before_is_not_declined_when_repeated(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask("bank.deposit", "k1", reference="r1", amount=5)
    monkeypatch.setenv("WFRUN_FAIL", "bank=decline")
    assert ask("bank.deposit", "k1", reference="r1", amount=5) == first


def test_down_twice_then_up_for_each_key(ask: Ask, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=down:2")
    for key in ("k1", "k2"):
        for _ in range(2):
            error = refused(ask, "bank.deposit", key, reference=key, amount=5)
            assert (error.type, error.status, error.retryable) == ("http.503", 503, True)
        assert ask("bank.deposit", key, reference=key, amount=5)["saved"] == 5
    assert rows("SELECT count(*) FROM deposits") == [(2,)]


def test_slow_takes_as_long_as_it_was_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=slow:150:1")
    start = time.monotonic()
    ask("bank.deposit", "k1", reference="r1", amount=5)
    slow = time.monotonic() - start
    ask("bank.deposit", "k1", reference="r1", amount=5)
    assert slow >= 0.15
    assert time.monotonic() - start - slow < 0.15


@pytest.mark.parametrize(
    ("fault", "type", "effects", "outcome"),
    [
        ("timeout:1", "timeout", 0, "timeout"),
        ("stall", "timeout", 1, "done, then timeout"),
        ("lost", "http.connection", 1, "done, then http.connection"),
    ],
)
def test_no_answer_with_and_without_effect(
    ask: Ask, rows: Rows, monkeypatch: pytest.MonkeyPatch, fault: str, type: str, effects: int, outcome: str
) -> None:
    monkeypatch.setattr(faults, "HANG_SECONDS", 0.05)
    monkeypatch.setenv("WFRUN_FAIL", f"bank={fault}")
    error = refused(ask, "bank.deposit", "k1", reference="r1", amount=5)
    assert (error.type, error.retryable) == (type, True)
    assert rows("SELECT count(*) FROM deposits") == [(effects,)]
    assert ask("bank.deposit", "k1", reference="r1", amount=5)["saved"] == 5
    assert rows(DEPOSITS) == [("r1", 5, 0)]
    assert rows(OUTCOMES) == [(outcome,), ("repeated" if effects else "done",)]


def test_a_fault_that_was_told_is_as_good_as_one_of_the_environment(world: Sandbox, ask: Ask) -> None:
    with world.store.open() as db:
        db.execute("INSERT INTO faults VALUES (NULL, 'bank.takeBack', 'down')")
    assert ask("bank.deposit", "k1", reference="r1", amount=5)["saved"] == 5
    assert refused(ask, "bank.takeBack", "c1", reference="r1").type == "http.503"


def test_the_environment_has_the_last_word_on_a_target(
    world: Sandbox, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.store.open() as db:
        db.execute("INSERT INTO faults VALUES (NULL, 'bank', 'down')")
    monkeypatch.setenv("WFRUN_FAIL", "bank=slow:1")
    assert ask("bank.deposit", "k1", reference="r1", amount=5)["saved"] == 5


def test_a_mistaken_fault_is_told_at_the_first_call(ask: Ask, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bnk=down")
    assert refused(ask, "bank.deposit", "k1", reference="r1", amount=5).type == "sandbox.fault"
    assert rows(DEPOSITS) == []


class Stop(Exception):
    pass


def test_an_exception_injected_into_its_thread_ends_a_hanging_call(
    ask: Ask, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=timeout")
    ended: list[type[BaseException]] = []

    def hang() -> None:
        try:
            ask("bank.deposit", "k1", reference="r1", amount=5)
        except BaseException as error:  # noqa: BLE001 - whatever ended it is what is asked here
            ended.append(type(error))

    thread = Thread(target=hang)
    thread.start()
    while not rows(OUTCOMES):
        time.sleep(0.01)
    time.sleep(0.1)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stop)) == 1
    thread.join(1)
    assert ended == [Stop]
    assert rows(OUTCOMES) == [("Stop",)]


KILLED = """
from wfrun.sandbox import Sandbox
from types import SimpleNamespace
world = Sandbox("town", systems=["bank"], schema={schema!r})
@world.system("bank").action("POST /deposits")
def deposit(input, call):
    call.db.execute("INSERT INTO deposits VALUES ('r1', 5, NULL)")
    return {{"saved": 5, "by": call.step}}
caller = SimpleNamespace(execution="e", step="pay", attempt=1, idempotency_key="k1")
print(deposit({{"reference": "r1", "amount": 5}}, caller))
"""


def test_die_kills_the_process_after_the_effect_and_the_next_one_gets_the_answer(
    ask: Ask, rows: Rows, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFRUN_FAIL", "bank=die")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", KILLED.format(schema=schema)]
    killed = subprocess.run(command, capture_output=True, timeout=20)
    assert killed.returncode == -signal.SIGKILL
    assert rows(DEPOSITS) == [("r1", 5, 0)]
    assert ask("bank.deposit", "k1", reference="r1", amount=5) == {"saved": 5, "by": "pay"}
    assert rows(DEPOSITS) == [("r1", 5, 0)]


def test_what_was_undone_can_be_done_once_more_in_a_further_round(ask: Ask, rows: Rows) -> None:
    ask("bank.deposit", "k1", reference="r1", amount=5)
    assert ask("bank.takeBack", "c1", reference="r1") == {"returned": 5}
    assert refused(ask, "bank.deposit", "k1~x", reference="r1", amount=5).type == "bank.undone"
    assert ask("bank.deposit", "k1~2", reference="r1", amount=7)["saved"] == 7
    assert ask("bank.takeBack", "c1~2", reference="r1") == {"returned": 7}
    assert refused(ask, "bank.deposit", "k9~2", reference="r1", amount=7).type == "bank.undone"
    assert rows(DEPOSITS) == [("r1", 5, 1), ("r1", 7, 1)]
