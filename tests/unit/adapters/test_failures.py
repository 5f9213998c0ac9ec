"""A machine that has run out of something, and errors that are somebody else's code."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import ROOT, a_call, config, pool
from wfrun.adapters.failures import is_stop, shortage, words
from wfrun.adapters.registry import open_service
from wfrun.errors import ServiceError


@contextmanager
def no_file_can_be_opened() -> Iterator[None]:
    """The limit is lowered to what is open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


MODULE = "def add(input): return sum(input)\n"
SHELL = {"adapter": "shell", "actions": {"add": {"command": ["echo", "3"]}}}
PYTHON = {"adapter": "python", "module": "tools.adder"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "adder.py").write_text(MODULE)
    return tmp_path


def first_without_files_then_with(settings: dict[str, Any], folder: Path) -> tuple[ServiceError, Any]:
    """Of one and the same service: a call while the machine has no file left, and the next when it has."""

    async def scenario() -> tuple[ServiceError, Any]:
        async with pool(settings, folder) as services:
            with no_file_can_be_opened(), pytest.raises(ServiceError) as caught:
                await services.call(a_call("add", [1, 2]))
            return caught.value, await services.call(a_call("add", [1, 2]))

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("settings", "type_"),
    [(SHELL, "shell.start"), (PYTHON | {"isolate": True}, "python.start"), (PYTHON, "python.import")],
    ids=["shell", "isolated", "python"],
)
def test_a_machine_without_files_is_no_fault_of_the_step(folder: Path, settings: dict[str, Any], type_: str) -> None:
    open_service(config(settings, folder))  # so that the adapter's own modules are there
    error, answer = first_without_files_then_with(settings, folder)
    assert (error.type, error.retryable) == (type_, True)
    assert "Too many open files" in error.message
    assert answer == 3


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_connection_without_files_is_worth_another_attempt(folder: Path, scheme: str, host: str) -> None:
    for action in ("POST /add", {"method": "POST", "url": f"{scheme}://{host}:9/"}):
        settings = {"adapter": "http", "baseUrl": f"{scheme}://{host}:9", "actions": {"add": action}}

        async def scenario(settings: dict[str, Any] = settings) -> ServiceError:
            async with pool(settings, folder) as services:
                with no_file_can_be_opened(), pytest.raises(ServiceError) as caught:
                    await services.call(a_call("add"))
                return caught.value

        open_service(config(settings, folder))
        error = asyncio.run(scenario())
        assert (error.type, error.retryable) == ("http.connection", True)
        assert "Too many open files" in error.message


def test_a_record_without_files_is_worth_another_attempt(folder: Path) -> None:
    settings = {"adapter": "mock", "record": "calls.jsonl", "actions": {"add": {"result": 3}}}
    open_service(config(settings, folder))
    error, answer = first_without_files_then_with(settings, folder)
    assert (error.type, error.retryable, answer) == ("mock.record", True, 3)


def test_an_adapter_that_cannot_be_read_is_opened_later() -> None:
    script = f"""
from pathlib import Path
from tests.unit.adapters.test_failures import SHELL, first_without_files_then_with
error, answer = first_without_files_then_with(SHELL, Path({str(ROOT)!r}))
print(error.type, error.retryable, answer)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "adapter.open True 3\n"


def caused(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


TOO_MANY = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (TOO_MANY, "Too many open files"),
        (caused(RuntimeError("no connection"), caused(ValueError(), TOO_MANY)), "Too many open files"),
        (ExceptionGroup("both", [ValueError(), TOO_MANY]), "Too many open files"),
        (ImportError("libx.so: cannot open shared object file: Too many open files"), "Too many open files"),
        (BlockingIOError(errno.EAGAIN, "fork"), os.strerror(errno.EAGAIN)),
        (FileNotFoundError(errno.ENOENT, "no such file"), None),
        (OSError("Too many cooks"), None),
        (ImportError("no module"), None),
        (KeyError("x"), None),
    ],
)
def test_what_the_machine_ran_out_of(error: BaseException, found: str | None) -> None:
    assert shortage(error) == found


def test_errors_that_led_to_each_other_have_an_end() -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert shortage(first) is None


def test_an_exception_that_cannot_say_what_it_is_has_no_words() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise SystemExit

    assert words(Mute()) == ""
    assert words(ValueError("x")) == "x"


def test_only_a_task_that_is_being_cancelled_is_stopped() -> None:
    async def cancelled() -> bool:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            return is_stop(error) and not is_stop(ValueError())
        return False

    async def scenario() -> tuple[bool, bool]:
        task = asyncio.create_task(cancelled())
        await asyncio.sleep(0)
        task.cancel()
        return await task, is_stop(asyncio.CancelledError())

    assert asyncio.run(scenario()) == (True, False)
