from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import a_call, alive, ask, pool, until
from wfrun.adapters.contract import Call
from wfrun.core.values import Json
from wfrun.errors import ServiceError

MODULE = """
import os
import sys
import threading
import time
from pathlib import Path

from wfrun import ServiceError


def add(input, call):
    print("this is not the answer")
    return {"sum": sum(input), "key": call.idempotency_key, "deadline": call.deadline and call.deadline.isoformat()}


async def add_later(input):
    return sum(input)


def decline(input):
    raise ServiceError("payment.declined", "no funds", status=402, retryable=False, retry_after_ms=5, details=[1])


def crash(input):
    raise LookupError("gone")


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("cannot say")


def odd(input):
    raise Odd


def decline_oddly(input):
    raise ServiceError("payment.declined", "no \\udcff", details={"at": threading}, retry_after_ms=float("inf"))


def leave_by_exit(input):
    raise SystemExit(5)


def shout_at_standard_output(input):
    os.write(1, b"by number ")
    os.system("echo by a child")
    return "done"


def leave(input):
    os._exit(3)


def shout(input):
    sys.stderr.write("something is wrong")
    sys.stderr.flush()
    os.kill(os.getpid(), 11)


def not_json(input):
    return {1, 2}


def stuck(input):
    Path(input).write_text(str(os.getpid()))
    time.sleep(60)


def leaves_a_thread(input):
    threading.Thread(target=time.sleep, args=[60]).start()
    return "done"


def pid(input):
    return os.getpid()
"""
SETTINGS = {"adapter": "python", "module": "services.slow", "isolate": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "slow.py").write_text(MODULE)
    return tmp_path


def failure(action: str, folder: Path) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        ask(SETTINGS, action, folder=folder)
    return caught.value


def test_the_function_gets_the_call_and_its_answer_comes_back(folder: Path) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    call = Call("k7m2x9qd", "pay", 2, "k7m2x9qd/pay", "svc", "add", [1, 2], at)

    async def scenario() -> Json:
        async with pool(SETTINGS, folder) as services:
            return await services.call(call)

    assert asyncio.run(scenario()) == {"sum": 3, "key": "k7m2x9qd/pay", "deadline": "2026-01-02T00:00:00+00:00"}


def test_each_call_has_a_process_of_its_own(folder: Path) -> None:
    pids = {ask(SETTINGS, "pid", folder=folder) for _ in range(2)}
    assert len(pids - {os.getpid()}) == 2


def test_asynchronous_functions_run_too(folder: Path) -> None:
    assert ask(SETTINGS, "addLater", [1, 2], folder=folder) == 3


def test_a_service_error_comes_back_whole(folder: Path) -> None:
    error = failure("decline", folder)
    assert (error.type, error.message, error.status, error.details) == ("payment.declined", "no funds", 402, [1])
    assert (error.retryable, error.retry_after_ms) == (False, 5)


@pytest.mark.parametrize(
    ("action", "type_"),
    [
        ("crash", "python.LookupError"),
        ("leave", "python.exit-3"),
        ("leaveByExit", "python.SystemExit"),
        ("odd", "python.Odd"),
        ("declineOddly", "payment.declined"),
        ("notJson", "adapter.result"),
        ("nothing", "python.function"),
    ],
)
def test_whatever_goes_wrong_is_an_error(folder: Path, action: str, type_: str) -> None:
    assert failure(action, folder).type == type_


def test_what_the_function_and_its_children_print_is_no_answer(folder: Path) -> None:
    assert ask(SETTINGS, "shoutAtStandardOutput", folder=folder) == "done"


def test_a_process_that_dies_leaves_its_last_words(folder: Path) -> None:
    error = failure("shout", folder)
    assert error.type == "python.signal-SIGSEGV"
    assert "something is wrong" in str(error.details)


def test_a_thread_left_running_does_not_keep_the_process(folder: Path) -> None:
    began = time.monotonic()
    assert ask(SETTINGS, "leavesAThread", folder=folder) == "done"
    assert time.monotonic() - began < 5


def test_a_function_stuck_in_c_is_really_stopped(folder: Path) -> None:
    file = folder / "pid"

    async def scenario() -> int:
        async with pool(SETTINGS, folder) as services:
            task = asyncio.create_task(services.call(a_call("stuck", str(file))))
            await until(lambda: file.exists() and file.read_text())
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return int(file.read_text())

    assert not alive(asyncio.run(scenario()))


def test_an_answer_that_is_too_large_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wfrun.adapters import isolated

    monkeypatch.setattr(isolated, "MAX_OUTPUT", 5)
    error: Any = None
    with pytest.raises(ServiceError) as caught:
        ask(SETTINGS, "add", [1], folder=folder)
    error = caught.value
    assert error.type == "python.too-large"
