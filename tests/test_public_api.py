"""What others build on: a change here is a change for them, and belongs in the changelog."""

from __future__ import annotations

import inspect
import re
import tomllib
from typing import Any, get_args, get_type_hints

import pytest

import wfrun
from tests.support.shell import ROOT
from wfrun import errors, sandbox
from wfrun.adapters import contract
from wfrun.adapters.registry import BUILT_IN, GROUP
from wfrun.cli.declare import COMMANDS
from wfrun.cli.invoke import EXIT_CODES, INTERRUPTED
from wfrun.views.model import ExecutionStatus

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def parameters(function: Any) -> list[str]:
    return [str(parameter).partition(":")[0] for parameter in inspect.signature(function).parameters.values()]


# ---- for those who write services


def test_the_names_of_the_package() -> None:
    assert wfrun.__all__ == ["ServiceError", "__version__"]
    assert all(hasattr(wfrun, name) for name in wfrun.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+", wfrun.__version__)


def test_the_types_are_published() -> None:
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert (ROOT / "wfrun" / "py.typed").is_file()


def test_a_service_error() -> None:
    signature = inspect.signature(wfrun.ServiceError)
    optional = {name: given.default for name, given in signature.parameters.items() if given.kind is given.KEYWORD_ONLY}
    assert parameters(wfrun.ServiceError)[:2] == ["type", "message"]
    assert optional == dict.fromkeys(("status", "details", "retry_after_ms", "retryable"))
    error = wfrun.ServiceError("payment.declined", "over the limit", status=402, retryable=False)
    assert (error.type, error.message, error.status, error.retryable) == (
        "payment.declined",
        "over the limit",
        402,
        False,
    )


def test_the_sandbox() -> None:
    assert sandbox.__all__ == ["Call", "Caller", "Fields", "Sandbox", "System", "amount", "cents"]


# ---- for those who write adapters


def test_a_call() -> None:
    names = ("execution", "step", "attempt", "idempotency_key", "service", "action", "input", "deadline")
    assert contract.Call._fields == (*names, "heartbeat", "lock")


def test_a_service_is_two_coroutines() -> None:
    assert parameters(contract.Service.call) == ["self", "call"]
    assert parameters(contract.Service.close) == ["self"]
    assert inspect.iscoroutinefunction(contract.Service.call)
    assert inspect.iscoroutinefunction(contract.Service.close)


def test_an_adapter_is_a_function_of_its_entry() -> None:
    names = ("name", "settings", "folder", "variable", "locate")
    assert contract.ServiceConfig._fields == names
    for name in BUILT_IN:
        opener = __import__(f"wfrun.adapters.{name}", fromlist=["open_service"]).open_service
        assert list(get_type_hints(opener).values()) == [contract.ServiceConfig, contract.Service]


def test_the_entry_points() -> None:
    assert GROUP == "wfrun.adapters"
    assert PROJECT["entry-points"][GROUP] == {name: f"wfrun.adapters.{name}:open_service" for name in BUILT_IN}
    assert PROJECT["scripts"] == {"wfrun": "wfrun.__main__:main"}


# ---- for those who write scripts


def test_the_commands() -> None:
    """One may be added; none goes away or gets another name."""
    assert {
        "run", "status", "resume", "approve", "reject", "tasks", "list", "log", "cancel", "validate", "graph", "init",
        "batch", "reindex",
    } <= set(COMMANDS)  # fmt: skip


def test_how_an_execution_ends() -> None:
    assert set(EXIT_CODES) == set(get_args(ExecutionStatus))
    assert EXIT_CODES == {
        "completed": 0,
        "running": 0,
        "failed": 1,
        "partly-compensated": 1,
        "waiting": 4,
        "compensated": 5,
        "needs-attention": 6,
        "paused": 6,
        "cancelled": 7,
        "interrupted": 130,
    }
    assert INTERRUPTED == 130


ERRORS: dict[type[errors.WfrunError], int] = {
    errors.WfrunError: 1,
    errors.ServiceError: 1,
    errors.UsageError: 2,
    errors.NotFoundError: 2,
    errors.AmbiguousError: 2,
    errors.ConflictError: 2,
    errors.InvalidError: 3,
    errors.ExpressionError: 3,
    errors.JournalError: 6,
    errors.StateError: 6,
    errors.DivergenceError: 6,
}


@pytest.mark.parametrize(("error", "code"), ERRORS.items())
def test_how_a_command_ends(error: type[errors.WfrunError], code: int) -> None:
    assert error.exit_code == code
    assert issubclass(error, errors.WfrunError)


def test_every_error_has_a_documented_end() -> None:
    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert set(kinds) == set(ERRORS)
