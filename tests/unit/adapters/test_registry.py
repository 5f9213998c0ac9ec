from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import ROOT, SECRET, a_call, ask, config, variable
from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.python import load_functions
from wfrun.adapters.registry import Services, known_actions, open_service
from wfrun.core.values import Json
from wfrun.errors import InvalidError, ServiceError


class Plugin:
    """What a plugin's author writes."""

    def __init__(self, config: ServiceConfig) -> None:
        self.config = config
        self.closed = False
        opened.append(self)

    async def call(self, call: Call) -> Json:
        token = self.config.variable("secret", "TOKEN")
        match call.action:
            case "leak":
                return {"echo": [f"token={token}"], token: 1}
            case "fail":
                raise ServiceError("x.y", f"bad token {token}", details={"token": token}, status=400, retryable=True)
            case "defect":
                raise RuntimeError(f"oops {token}")
            case "leave":
                raise SystemExit(f"oops {token}")
            case "cancelItself":
                raise asyncio.CancelledError
            case "interrupt":
                raise KeyboardInterrupt
            case "unfinished":
                raise Unfinished(token)
            case "impatient":
                raise ServiceError("x.y", f"wait {token}", retry_after_ms=float("-inf"))  # type: ignore[arg-type]
            case "badResult":
                return {"a": (1, 2)}  # type: ignore[dict-item]
            case _:
                return call.input

    async def close(self) -> None:
        self.closed = True
        if self.config.settings.get("leaves"):
            raise SystemExit(3)
        if self.config.settings.get("fails"):
            raise OSError("cannot close")


class Unfinished(ServiceError):
    """Forgets to call the constructor that it inherits, and cannot say what it is."""

    def __init__(self, token: str) -> None:
        self.details = {"token": token, "self": self}

    def __repr__(self) -> str:
        raise RuntimeError("not even that")


opened: list[Plugin] = []


def open_plugin(config: ServiceConfig) -> Service:
    if config.settings.get("leavesAtOnce"):
        raise SystemExit(config.variable("secret", "TOKEN"))
    return Plugin(config)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution that declares an adapter."""
    installed = tmp_path / "wfrun_queue-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: wfrun-queue\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[wfrun.adapters]\nqueue = {__name__}:open_plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    opened.clear()


QUEUE = {"adapter": "queue"}


@pytest.mark.usefixtures("plugin")
def test_a_plugin_is_found_by_its_entry_point() -> None:
    assert ask(QUEUE, "send", {"a": 1}) == {"a": 1}


@pytest.mark.usefixtures("plugin")
def test_no_secret_leaves_even_a_plugin() -> None:
    assert ask(QUEUE, "leak") == {"echo": ["token=***"], "***": 1}
    for action in ("fail", "defect", "leave", "impatient"):
        with pytest.raises(ServiceError) as caught:
            ask(QUEUE, action)
        error = caught.value
        assert SECRET not in f"{error.message}{error.details}{error.__cause__}"
        assert "***" in error.message


@pytest.mark.usefixtures("plugin")
def test_an_error_keeps_its_parts_when_secrets_are_hidden() -> None:
    with pytest.raises(ServiceError) as caught:
        ask(QUEUE, "fail")
    error = caught.value
    assert (error.type, error.status, error.retryable, error.details) == ("x.y", 400, True, {"token": "***"})


@pytest.mark.usefixtures("plugin")
def test_a_defect_of_a_plugin_is_one_steps_error() -> None:
    with pytest.raises(ServiceError) as caught:
        ask(QUEUE, "defect")
    assert (caught.value.type, caught.value.retryable) == ("adapter.defect", False)
    with pytest.raises(ServiceError) as caught:
        ask(QUEUE, "badResult")
    assert caught.value.type == "adapter.result"


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("action", "type_", "words"),
    [
        ("leave", "adapter.defect", "SystemExit: oops ***"),
        ("cancelItself", "adapter.defect", "CancelledError"),
        ("interrupt", "adapter.defect", "KeyboardInterrupt"),
        ("unfinished", "adapter.error", "Unfinished"),
        ("impatient", "x.y", "wait ***"),
    ],
)
def test_nothing_that_a_plugin_raises_ends_the_engine(action: str, type_: str, words: str) -> None:
    with pytest.raises(ServiceError) as caught:
        ask(QUEUE, action)
    assert (caught.value.type, caught.value.retry_after_ms) == (type_, None)
    assert words in caught.value.message
    assert SECRET not in str(caught.value.details)


@pytest.mark.usefixtures("plugin")
def test_a_plugin_that_cannot_be_opened_has_done_nothing() -> None:
    with pytest.raises(ServiceError) as caught:
        ask(QUEUE | {"leavesAtOnce": True}, "send")
    assert (caught.value.type, caught.value.retryable) == ("adapter.open", False)
    assert "SystemExit: ***" in caught.value.message


@pytest.mark.usefixtures("plugin")
def test_a_plugin_cannot_end_the_program_when_it_is_closed() -> None:
    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        ask(QUEUE | {"leaves": True}, "send")


@pytest.mark.usefixtures("plugin")
def test_a_service_is_opened_once_and_all_are_closed() -> None:
    configs = {
        name: ServiceConfig(name, {**QUEUE, "fails": name == "a"}, Path(), variable) for name in ("a", "b", "unused")
    }

    async def scenario() -> None:
        services = Services(configs)
        for name in ("a", "b", "a"):
            await services.call(a_call("send", service=name))
        with pytest.raises(OSError, match="cannot close"):
            await services.close()

    asyncio.run(scenario())
    assert [plugin.config.name for plugin in opened] == ["a", "b"]
    assert all(plugin.closed for plugin in opened)


@pytest.mark.parametrize(
    ("adapter", "hint"),
    [
        ("htpp", "did you mean http?"),
        ("soap", "known adapters: http, mock, python, shell"),
        (None, "known"),
        (7, "known"),
    ],
)
def test_an_unknown_adapter(adapter: Any, hint: str) -> None:
    with pytest.raises(InvalidError) as caught:
        open_service(config({"adapter": adapter}))
    assert (caught.value.code, caught.value.place.path) == ("service.adapter", "services.svc.adapter")
    assert hint in caught.value.hint


def test_a_wrong_entry_fails_the_step_with_its_code_and_place() -> None:
    with pytest.raises(ServiceError) as caught:
        ask({"adapter": "shell"}, "go")
    assert (caught.value.type, caught.value.retryable) == ("service.actions", False)
    assert caught.value.message == "services.svc.actions: a mapping of action names is needed"


def test_a_variable_that_is_not_set_fails_the_step() -> None:
    settings = {"adapter": "shell", "actions": {"go": {"command": ["echo", "${env.MISSING}"]}}}
    with pytest.raises(ServiceError) as caught:
        ask(settings, "go")
    assert (caught.value.type, caught.value.message) == ("expression.undefined", "env.MISSING is not set")


def test_a_call_cannot_depend_on_the_clock() -> None:
    settings = {"adapter": "shell", "actions": {"go": {"command": ["echo", "${now()}"]}}}
    with pytest.raises(ServiceError) as caught:
        ask(settings, "go")
    assert caught.value.type == "expression.value"


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        ({"adapter": "http", "actions": {"pay": "POST /pay"}}, {"pay"}),
        ({"adapter": "shell", "actions": {"pay": {}, "refund": {}}}, {"pay", "refund"}),
        ({"adapter": "mock", "actions": {"pay": {}}}, {"pay"}),
        ({"adapter": "mock", "actions": {"pay": {}}, "default": {}}, None),
        ({"adapter": "mock"}, None),
        ({"adapter": "queue", "actions": {"pay": {}}}, None),
        ({"adapter": "python", "module": "json"}, None),
    ],
)
def test_known_actions(settings: dict[str, Any], known: set[str] | None) -> None:
    assert known_actions(config(settings)) == (None if known is None else frozenset(known))


MODULE = """
import os
from subprocess import run
LIMIT = 5
def send_sms(input): raise AssertionError("this must not run")
async def charge(input, call): pass
if LIMIT:
    def refund(input): pass
try:
    import fast
except ImportError:
    def slow_one(input): pass
wrapped = os.fsencode(charge)
class Client: pass
def _private(input): pass
raise AssertionError("this must not run")
"""


@pytest.mark.parametrize(
    ("source", "known"),
    [
        (MODULE, {"send_sms", "sendSms", "sendSMS", "charge", "refund", "slow_one", "slowOne", "slowONE", "wrapped"}),
        ("from .a import b\n__all__ = ['b']\ndef c(input): pass\n", {"b"}),
        ("__all__ = compute()\ndef c(input): pass\n", None),
        ("from .a import *\n", None),
        ("def __getattr__(name): pass\n", None),
        ("def broken(:", None),
        ("__all__: list[str] = ['b']\ndef c(input): pass\n", {"b"}),
        ("__all__ = ['b']\n__all__ += ['c']\ndef c(input): pass\n", None),
        ("__all__ = ['b']\n__all__.append('c')\ndef c(input): pass\n", None),
        ("from .a import __all__\ndef c(input): pass\n", None),
        ("def f(input): pass\nglobals()['g'] = f\n", None),
        ("import sys\ndef f(input): pass\nsetattr(sys.modules[__name__], 'g', f)\n", None),
    ],
)
def test_the_actions_of_a_module_are_read_without_running_it(
    tmp_path: Path, source: str, known: set[str] | None
) -> None:
    (tmp_path / "pay.py").write_text(source)
    found = known_actions(config({"adapter": "python", "module": "pay"}, tmp_path))
    assert found == (None if known is None else frozenset(known))


ALIASES = """
from collections.abc import Callable
from contextlib import suppress
from sys import version_info
def f(input): return 1
def pair(): return f, f
a = b = f
c: Callable[..., int] = f
d, (e, *rest) = f, (f, f)
g = h if (h := f) else None
for i in (f, f):
    pass
with suppress(ValueError):
    j = f
match f:
    case k: pass
try:
    raise ImportError
except* ImportError:
    m = lambda input: 1
finally:
    n = f
while True:
    o = f
    break
def setup():
    global p
    p = f
setup()
class Call:
    def __call__(self, input): return 1
def instance(cls): return cls()
q = Call()
@instance
class r(Call): pass
if version_info > (3,):
    async def s(input): return 1
t = 5
t = f
"""


def test_whatever_loading_finds_is_not_denied(tmp_path: Path) -> None:
    (tmp_path / "pay.py").write_text(ALIASES)
    entry = config({"adapter": "python", "module": "pay"}, tmp_path)
    loaded, known = load_functions(entry).keys(), known_actions(entry)
    assert {*"abcdefghijkmnopqrst"} <= loaded
    assert known is not None
    assert loaded - known == set()


def test_what_is_data_by_its_looks_is_offered_to_nobody_and_denied_to_nobody(tmp_path: Path) -> None:
    source = "HERE = path(__file__)\nSIZE: int = 3\nLIMIT = MOST = 5\nnames = [n for n in 'ab']\ndef PAY(input): pass\n"
    (tmp_path / "pay.py").write_text(source)
    entry = config({"adapter": "python", "module": "pay"}, tmp_path)
    assert known_actions(entry) == frozenset({"PAY"})
    assert known_actions(entry, ["HERE", "LIMIT", "SIZE", "names"]) == frozenset({"PAY", "HERE"})


def test_functions_add_to_the_known_actions(tmp_path: Path) -> None:
    (tmp_path / "pay.py").write_text("def charge(input): pass\n")
    settings = {"adapter": "python", "module": "pay", "functions": {"bill": "charge"}}
    assert known_actions(config(settings, tmp_path)) == frozenset({"charge", "bill"})


def test_what_is_known_of_a_module_is_what_can_be_called(tmp_path: Path) -> None:
    """Static and dynamic answers agree, for every spelling."""
    (tmp_path / "pay.py").write_text("def pay_by_card(input): return 1\ndef refund(input): return 1\n")
    settings = {"adapter": "python", "module": "pay"}
    known = known_actions(config(settings, tmp_path))
    assert known is not None
    assert "payByCard" in known
    assert [ask(settings, action, folder=tmp_path) for action in known] == [1] * len(known)


def test_the_registry_loads_nothing_that_is_not_used() -> None:
    heavy = ["httpx2", "importlib.metadata", "subprocess", "ctypes", "wfrun.core.expression"]
    script = f"""
import sys
from pathlib import Path
from wfrun.adapters.registry import known_actions
from wfrun.adapters.contract import ServiceConfig
known_actions(ServiceConfig("s", {{"adapter": "http", "actions": {{}}}}, Path(), lambda kind, name: ""))
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "settings",
    [
        {"adapter": "http", "baseUrl": "http://127.0.0.1:9", "actions": {"pay": "POST /pay"}},
        {"adapter": "shell", "actions": {"pay": {"command": ["true"]}}},
    ],
)
def test_an_action_that_a_service_does_not_have(settings: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as caught:
        ask(settings, "payy")
    assert (caught.value.type, caught.value.retryable) == ("service.action", False)
