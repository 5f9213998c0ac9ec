"""Signs of life of a call: who can give them, and how they reach whoever waits for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import a_call, ask, config, pool
from wfrun.adapters.contract import Call
from wfrun.adapters.registry import shows_life
from wfrun.errors import InvalidError, ServiceError

MODULE = """
import threading


async def walk(input, call):
    for _ in range(3):
        call.heartbeat()
    return "walked"


def work(input, call):
    for _ in range(3):
        call.heartbeat()
    return threading.current_thread() is threading.main_thread()


def delegate(input, call):
    threads = [threading.Thread(target=call.heartbeat) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def drum(input, call):
    def beat():
        while True:
            call.heartbeat()

    for _ in range(4):
        threading.Thread(target=beat, daemon=True).start()
    return ["x" * 1000] * 2000
"""


class Ear:
    def __init__(self) -> None:
        self.heard: list[threading.Thread] = []

    def beat(self) -> None:
        self.heard.append(threading.current_thread())


def listen(settings: Mapping[str, Any], action: str, folder: Path = Path(), seconds: float = 10) -> tuple[Any, Ear]:
    """The result of one call, or its error, and the signs of life that it gave."""
    ear = Ear()

    async def once() -> Any:
        async with pool(settings, folder) as services, asyncio.timeout(seconds):
            return await services.call(a_call(action)._replace(heartbeat=ear.beat))

    try:
        return asyncio.run(once()), ear
    except (ServiceError, TimeoutError) as error:
        return error, ear


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.py").write_text(MODULE)
    return tmp_path


def test_nobody_has_to_listen(folder: Path) -> None:
    assert ask({"adapter": "python", "module": "jobs"}, "walk", folder=folder) == "walked"


@pytest.mark.parametrize("action", ["walk", "work", "delegate"])
def test_python_functions_give_them_from_any_thread(folder: Path, action: str) -> None:
    _, ear = listen({"adapter": "python", "module": "jobs"}, action, folder)
    assert len(ear.heard) == 3
    assert (threading.main_thread() in ear.heard) == (action == "walk")


@pytest.mark.parametrize("action", ["walk", "work", "delegate"])
def test_isolated_functions_reach_the_parent(folder: Path, action: str) -> None:
    _, ear = listen({"adapter": "python", "module": "jobs", "isolate": True}, action, folder)
    assert ear.heard


def test_an_answer_is_whole_however_fast_an_isolated_function_beats(folder: Path) -> None:
    result, _ = listen({"adapter": "python", "module": "jobs", "isolate": True}, "drum", folder)
    assert result == ["x" * 1000] * 2000


@pytest.mark.parametrize(
    ("script", "most"),
    [
        ("for n in 1 2 3; do echo $n >&2; sleep 0.05; done; echo null", 4),
        ("for n in 1 2 3; do echo; sleep 0.05; done", 3),
        ("printf working; sleep 0.05; printf ' on' >&2; exit 1", 0),
        ("true", 0),
    ],
)
def test_each_line_of_a_command_is_one(script: str, most: int) -> None:
    settings = {"adapter": "shell", "actions": {"run": {"command": ["sh", "-c", script.replace("$", "$$")]}}}
    _, ear = listen(settings, "run")
    assert min(most, 1) <= len(ear.heard) <= most  # a slow reader finds several lines at once


def mock(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"adapter": "mock", "actions": {"pay": answer}}


def test_a_mock_gives_them_while_it_waits() -> None:
    result, ear = listen(mock({"delay": "100ms", "heartbeat": {"every": "30ms"}, "result": 7}), "pay")
    assert (result, len(ear.heard)) == (7, 3)
    result, ear = listen(mock({"delay": "100ms", "heartbeat": {"every": 10, "times": 2}, "result": 7}), "pay")
    assert (result, len(ear.heard)) == (7, 2)


def test_a_mock_that_hangs_gives_them_for_a_while() -> None:
    result, ear = listen(mock({"hang": True, "heartbeat": {"every": "10ms", "times": 5}}), "pay", seconds=0.2)
    assert (type(result), len(ear.heard)) == (TimeoutError, 5)


@pytest.mark.parametrize(
    ("heartbeat", "code", "at"),
    [
        ("10ms", "mock.heartbeat", ""),
        ({"times": 5}, "mock.heartbeat", ""),
        ({"every": 0}, "mock.heartbeat", ".every"),
        ({"every": "soon"}, "expression.value", ".every"),
        ({"every": "1s", "times": "5"}, "mock.heartbeat", ".times"),
        ({"every": "1s", "times": -1}, "mock.heartbeat", ".times"),
        ({"every": "1s", "time": 5}, "mock.heartbeat", ".time"),
    ],
)
def test_a_script_that_makes_no_sense(heartbeat: Any, code: str, at: str) -> None:
    from wfrun.adapters.mock import open_service

    with pytest.raises(InvalidError) as caught:
        open_service(config(mock({"hang": True, "heartbeat": heartbeat})))
    assert (caught.value.code, caught.value.place.path) == (code, f"services.svc.actions.pay.heartbeat{at}")


def test_who_can_give_them() -> None:
    adapters = ["python", "shell", "mock", "queue", "http"]
    assert [shows_life(config({"adapter": adapter})) for adapter in adapters] == [True, True, True, True, False]


def test_a_call_is_made_without_an_ear() -> None:
    call = Call("e1", "pay", 1, "e1/pay", "svc", "pay", None)
    call.heartbeat()
