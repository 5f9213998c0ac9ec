from __future__ import annotations

import asyncio
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import a_call, ask, pool, until
from wfrun.core.values import Json
from wfrun.errors import InvalidError, ServiceError

MODULE = """
import asyncio
import time
from decimal import Decimal
from subprocess import run

from wfrun import ServiceError

from . import ledger

seen = []


def process_payment(input, call):
    return {"paid": input["amount"], "key": call.idempotency_key, "attempt": call.attempt}


async def charge(input):
    await asyncio.sleep(0)
    return {"charged": input["amount"]}


async def charge_as(input, call):
    return call.step


def rounded(input, digits=2):
    return round(input, digits)


def send_sms(input):
    return "sent"


def returns_coroutine(input):
    return charge(input)


def decline(input):
    raise ServiceError("payment.declined", "no funds", status=402, retryable=False, details={"code": 51})


def crash(input):
    return ledger.entry(input)


async def crash_later(input):
    raise KeyError("sku")


def leave(input):
    raise SystemExit(3)


class Bare(BaseException):
    def __str__(self):
        raise Bare


ERRORS = [Bare(), GeneratorExit(), BaseExceptionGroup("all", [SystemExit(1)]), KeyboardInterrupt(), SystemExit(4),
          asyncio.CancelledError(), StopIteration("none left")]


def raise_one(input):
    raise ERRORS[input]


async def raise_one_later(input):
    await asyncio.sleep(0)
    raise ERRORS[input]


async def cancels_itself(input):
    raise asyncio.CancelledError


def decimal(input):
    return {"amount": [1, Decimal("1.5")]}


def scribble(input):
    input["amount"] = "changed"
    return None


def nap(input):
    try:
        while True:
            time.sleep(0.01)
    finally:
        seen.append("thread ended")


def stuck(input):
    time.sleep(1.6)
    seen.append("woke up")


async def wait(input):
    try:
        await asyncio.sleep(60)
    finally:
        seen.append("coroutine ended")


def what_was_seen(input):
    return list(seen)


def thread(input):
    import threading
    return threading.current_thread().name


def _private(input):
    return None
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_services(tmp_path, MODULE)


def write_services(folder: Path, module: str) -> Path:
    package = folder / "services"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "ledger.py").write_text("def entry(input):\n    raise LookupError(f'no entry {input}')\n")
    (package / "payment.py").write_text(textwrap.dedent(module))
    return folder


SETTINGS = {"adapter": "python", "module": "services.payment"}


def error_of(action: str, folder: Path, input: Any = None, settings: dict[str, Any] = SETTINGS) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        ask(settings, action, input, folder=folder)
    return caught.value


@pytest.mark.parametrize(
    ("action", "input", "result"),
    [
        ("processPayment", {"amount": 5}, {"paid": 5, "key": "k7m2x9qd/pay", "attempt": 1}),
        ("process_payment", {"amount": 5}, {"paid": 5, "key": "k7m2x9qd/pay", "attempt": 1}),
        ("charge", {"amount": 5}, {"charged": 5}),
        ("chargeAs", None, "pay"),
        ("rounded", 1.239, 1.24),
        ("sendSMS", None, "sent"),
        ("sendSms", None, "sent"),
        ("returnsCoroutine", {"amount": 7}, {"charged": 7}),
    ],
)
def test_an_action_is_a_function(folder: Path, action: str, input: Any, result: Any) -> None:
    assert ask(SETTINGS, action, input, folder=folder) == result


def test_functions_names_a_function_for_an_action(folder: Path) -> None:
    settings = SETTINGS | {"functions": {"text": "send_sms"}}
    assert ask(settings, "text", folder=folder) == "sent"
    error = error_of("text", folder, settings=SETTINGS | {"functions": {"text": "send_fax"}})
    assert (error.type, error.retryable) == ("python.function", False)


@pytest.mark.parametrize("action", ["run", "_private", "private", "Decimal", "ledger", "seen", "nothing"])
def test_only_functions_that_the_module_defines_are_actions(folder: Path, action: str) -> None:
    assert error_of(action, folder).type == "python.function"


def test_all_decides_what_is_an_action(tmp_path: Path) -> None:
    folder = write_services(tmp_path, "from .ledger import entry\n__all__ = ['entry']\ndef other(input): return 1\n")
    assert error_of("entry", folder).type == "python.LookupError"
    assert error_of("other", folder).type == "python.function"


def test_a_misspelt_action_gets_a_hint(folder: Path) -> None:
    assert "did you mean processPayment?" in error_of("procesPayment", folder).message


def test_two_folders_can_each_have_their_services(tmp_path: Path) -> None:
    folders = [
        write_services(tmp_path / name, f"from . import ledger\ndef who(input): return {name!r}\n")
        for name in ("a", "b")
    ]
    assert [ask(SETTINGS, "who", folder=folder) for folder in folders] == ["a", "b"]
    assert "services" not in sys.modules


def test_a_package_without_init_will_do(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "adder.py").write_text("def add(input): return sum(input)\n")
    assert ask({"adapter": "python", "module": "tools.adder"}, "add", [1, 2], folder=tmp_path) == 3


def test_an_installed_module_is_found(tmp_path: Path) -> None:
    assert ask({"adapter": "python", "module": "textwrap"}, "dedent", "  a", folder=tmp_path) == "a"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(1)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Bare(BaseException): pass\nraise Bare('no')", "Bare: no"),
        ("from services import ledger", "from . import"),
    ],
)
def test_a_module_that_cannot_be_imported(tmp_path: Path, source: str, words: str) -> None:
    error = error_of("any", write_services(tmp_path, source))
    assert (error.type, error.retryable) == ("python.import", False)
    assert words in error.message


@pytest.mark.parametrize("module", [None, 5, "", "../x", ".payment", "a b", "os;x", "a..b"])
def test_module_must_be_a_dotted_name(module: Any) -> None:
    assert error_of("any", Path(), settings={"adapter": "python", "module": module}).type == "python.module"


@pytest.mark.parametrize("extra", [{"functions": ["a"]}, {"functions": {"a": "x.y"}}, {"isolate": "yes"}])
def test_other_settings_are_checked(extra: dict[str, Any]) -> None:
    assert error_of("any", Path(), settings=SETTINGS | extra).type.startswith("python.")


def test_a_service_error_passes_as_it_is(folder: Path) -> None:
    error = error_of("decline", folder)
    assert (error.type, error.status, error.retryable, error.details) == ("payment.declined", 402, False, {"code": 51})


def test_an_exception_becomes_an_error_with_its_place(folder: Path) -> None:
    error = error_of("crash", folder, "x-1")
    assert (error.type, error.message) == ("python.LookupError", "no entry x-1")
    assert error.details == {"at": "services/ledger.py:2"}


@pytest.mark.parametrize(
    ("action", "type_"),
    [("crashLater", "python.KeyError"), ("leave", "python.SystemExit"), ("cancelsItself", "python.CancelledError")],
)
def test_no_exception_gets_through(folder: Path, action: str, type_: str) -> None:
    assert error_of(action, folder).type == type_


NAMES = ["Bare", "GeneratorExit", "BaseExceptionGroup", "KeyboardInterrupt", "SystemExit"]
NAMES += ["CancelledError", "StopIteration"]


@pytest.mark.parametrize("action", ["raiseOne", "raiseOneLater"])
@pytest.mark.parametrize(("number", "name"), list(enumerate(NAMES)), ids=NAMES)
def test_not_even_what_is_no_exception_gets_through(folder: Path, action: str, number: int, name: str) -> None:
    async def scenario() -> ServiceError:
        async with pool(SETTINGS, folder) as services:
            with pytest.raises(ServiceError) as caught:
                await services.call(a_call(action, number))
            assert await services.call(a_call("sendSms")) == "sent", "the service goes on"
            return caught.value

    error = asyncio.run(scenario())
    assert error.type == f"python.{name}"
    assert error.message
    assert "services/payment.py" in str(error.details)


def test_a_call_that_cancels_itself_is_not_taken_for_one_that_is_cancelled(folder: Path) -> None:
    async def scenario() -> list[BaseException | Json]:
        async with pool(SETTINGS, folder) as services:
            waiting = asyncio.create_task(services.call(a_call("wait")))
            other = asyncio.create_task(services.call(a_call("cancelsItself")))
            await asyncio.sleep(0.05)
            waiting.cancel()
            return list(await asyncio.gather(waiting, other, return_exceptions=True))

    first, second = asyncio.run(scenario())
    assert isinstance(first, asyncio.CancelledError)
    assert isinstance(second, ServiceError)


def test_a_result_that_is_not_json_names_the_place(folder: Path) -> None:
    error = error_of("decimal", folder)
    assert error.type == "adapter.result"
    assert "result.amount[1] is a Python Decimal" in error.message


def test_a_function_cannot_change_the_input(folder: Path) -> None:
    given: dict[str, Json] = {"amount": 5}
    ask(SETTINGS, "scribble", given, folder=folder)
    assert given == {"amount": 5}


async def cancelled(action: str, folder: Path) -> tuple[float, Any]:
    """Cancels a call that has begun; the seconds that took, and what the module saw right after it."""
    async with pool(SETTINGS, folder) as services:
        task = asyncio.create_task(services.call(a_call(action)))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began, await services.call(a_call("whatWasSeen"))


@pytest.mark.parametrize(("action", "seen"), [("nap", "thread ended"), ("wait", "coroutine ended")])
def test_a_cancelled_function_is_stopped_before_the_cancellation_passes(folder: Path, action: str, seen: str) -> None:
    seconds, what = asyncio.run(cancelled(action, folder))
    assert what == [seen]
    assert seconds < 0.5


def test_a_function_stuck_in_c_is_left_behind_after_the_grace(folder: Path) -> None:
    seconds, what = asyncio.run(cancelled("stuck", folder))
    assert what == []
    assert 0.9 < seconds < 1.4


def test_threads_are_reused_and_end_with_the_service(folder: Path) -> None:
    async def names() -> set[Any]:
        async with pool(SETTINGS, folder) as services:
            found = {await services.call(a_call("thread")) for _ in range(5)}
            assert any(thread.name == "wfrun-svc" for thread in threading.enumerate())
        await until(lambda: not any(thread.name == "wfrun-svc" for thread in threading.enumerate()))
        return found

    assert asyncio.run(names()) == {"wfrun-svc"}


def test_an_interrupted_thread_is_not_used_again(folder: Path) -> None:
    async def scenario() -> list[Any]:
        async with pool(SETTINGS, folder) as services:
            for _ in range(30):
                task = asyncio.create_task(services.call(a_call("nap")))
                await asyncio.sleep(0.002)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert await services.call(a_call("sendSms")) == "sent"
            return [await services.call(a_call("thread")) for _ in range(3)]

    assert asyncio.run(scenario()) == ["wfrun-svc"] * 3


def test_blocking_functions_run_side_by_side(folder: Path) -> None:
    write = folder / "services" / "slow.py"
    write.write_text("import time\ndef nap(input):\n    time.sleep(0.3)\n")

    async def together() -> float:
        async with pool({"adapter": "python", "module": "services.slow"}, folder) as services:
            began = time.monotonic()
            await asyncio.gather(*(services.call(a_call("nap")) for _ in range(50)))
            return time.monotonic() - began

    assert asyncio.run(together()) < 1.5


def test_an_unknown_service_is_an_error_of_the_step() -> None:
    async def scenario() -> None:
        async with pool(SETTINGS) as services:
            await services.call(a_call("x", service="other"))

    with pytest.raises(ServiceError) as caught:
        asyncio.run(scenario())
    assert caught.value.type == "service.unknown"


def test_invalid_settings_are_reported_when_opened() -> None:
    from tests.unit.adapters.support import config
    from wfrun.adapters.registry import open_service

    with pytest.raises(InvalidError) as caught:
        open_service(config({"adapter": "python"}))
    assert caught.value.place.path == "services.svc.module"
