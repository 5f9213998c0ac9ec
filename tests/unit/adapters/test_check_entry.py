"""What is wrong with an entry is known before a call, without reaching anything and without running anybody's code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.adapters.support import ROOT, config
from wfrun.adapters.registry import check_entry
from wfrun.errors import Place, Problem

HTTP = {"adapter": "http", "baseUrl": "http://localhost"}


def told(settings: dict[str, Any], folder: Path = Path(), *actions: str) -> list[Problem]:
    return check_entry(config(settings, folder), actions or ("go",))


def shell(*command: Any, **more: Any) -> dict[str, Any]:
    return {"adapter": "shell", "actions": {"go": {"command": list(command), **more}}}


@pytest.mark.parametrize(
    ("settings", "code", "path", "hint"),
    [
        ({"adapter": "pyton"}, "service.adapter", "adapter", "did you mean python?"),
        (HTTP | {"actions": {"go": "PSOT /x"}}, "http.method", "actions.go", ""),
        (HTTP | {"actions": {"go": "POST a"}}, "http.path", "actions.go", ""),
        (HTTP | {"actions": {"go": {"path": "/x"}}}, "http.method", "actions.go", ""),
        (
            HTTP | {"actions": {"go": {"method": "GET", "path": "/x", "boby": 1}}},
            "http.action",
            "actions.go.boby",
            "body",
        ),
        (HTTP | {"actions": {}}, "service.actions", "actions", ""),
        (HTTP | {"baseUrl": 5}, "http.baseUrl", "baseUrl", ""),
        (HTTP | {"baseUrl": "localhost:8080"}, "http.url", "baseUrl", "write http://localhost:8080"),
        (HTTP | {"baseUrl": "${env.REGION}"}, "http.url", "baseUrl", ""),
        (HTTP | {"baseUrl": "http://ann:secret@host"}, "http.url", "baseUrl", ""),
        (HTTP | {"baseUrl": "$.url"}, "service.data", "baseUrl", ""),
        (HTTP | {"timeout": "5sec"}, "expression.value", "timeout", "30s"),
        (HTTP | {"auth": {"type": "bearer"}}, "http.auth", "auth", "token"),
        (shell("echo", outptu="text"), "shell.action", "actions.go.outptu", "did you mean output?"),
        (shell(), "shell.command", "actions.go.command", "convert"),
        (shell("date", env=["TZ=UTC"]), "shell.env", "actions.go.env", ""),
        (shell("sh", "-c", "echo ${$.text}"), "shell.injection", "actions.go.command[2]", "$1"),
        (shell("echo", "${ 1 +"), "expression.syntax", "actions.go.command[1]", ""),
        (
            {"adapter": "mock", "actions": {"go": {"reslt": "hi"}}},
            "mock.answer",
            "actions.go.reslt",
            "did you mean result?",
        ),
        ({"adapter": "mock", "actions": ["go"]}, "mock.actions", "actions", ""),
        ({"adapter": "mock", "default": {"error": "declined"}}, "mock.error", "default.error", "type"),
        ({"adapter": "mock", "default": {"exit": 256}}, "mock.exit", "default.exit", ""),
        ({"adapter": "mock", "default": {"delay": "soon"}}, "expression.value", "default.delay", ""),
        ({"adapter": "python", "module": "a-b"}, "python.module", "module", ""),
        ({"adapter": "python", "module": "json", "functions": ["a"]}, "python.functions", "functions", ""),
        ({"adapter": "python", "module": "json", "isolate": 1}, "python.isolate", "isolate", ""),
    ],
)
def test_mistakes(settings: dict[str, Any], code: str, path: str, hint: str) -> None:
    settings = {"actions": {"go": "POST /x"}, **settings} if settings["adapter"] == "http" else settings
    (problem,) = told(settings)
    assert (problem.code, problem.severity, problem.place.path) == (code, "error", f"services.svc.{path}")
    assert hint in problem.hint


def test_all_of_them_at_once() -> None:
    settings = HTTP | {"baseUrl": "localhost", "timeout": "x", "actions": {"go": "PSOT /x", "stop": "GET x"}}
    assert [problem.code for problem in told(settings)] == ["http.url", "expression.value", "http.method", "http.path"]


def test_no_password_is_repeated() -> None:
    (problem,) = told(HTTP | {"baseUrl": "ann:secret@host", "actions": {"go": "POST /x"}})
    assert "secret" not in str(problem)


@pytest.mark.parametrize(
    "settings",
    [
        HTTP | {"actions": {"go": "POST /x"}, "auth": {"type": "bearer", "token": "${secret.TOKEN}"}, "timeout": "5s"},
        shell("sh", "-c", "echo hi", output="text"),
        shell("nowhere", env={"PATH": "/opt/bin"}),
        {"adapter": "mock"},
        {
            "adapter": "mock",
            "actions": {"go": [{"result": "$.x"}, {"error": {"type": "x.y"}}]},
            "record": "calls.jsonl",
        },
        {"adapter": "python", "module": "json.decoder"},
    ],
)
def test_entries_without_a_mistake(settings: dict[str, Any]) -> None:
    assert told(settings) == []


class TestVariables:
    def test_one_that_is_not_set(self) -> None:
        (problem,) = told(shell("echo", "${env.NOWHERE}"))
        assert (problem.code, problem.message) == ("service.variable", "env.NOWHERE is not set")
        assert problem.place.path == "services.svc.actions.go.command[1]"

    def test_a_secret_that_could_not_be_hidden(self) -> None:
        (problem,) = told(shell("echo", "${secret.PIN}"))
        assert problem.code == "service.variable"
        assert "fewer than 4" in problem.message

    @pytest.mark.parametrize(
        "text",
        ["${env.NOWHERE ?? 'x'}", "${default(secret.NOWHERE, env.REGION)}", "${has(env.NOWHERE) ? env.NOWHERE : 1}"],
    )
    def test_one_that_something_else_is_said_for(self, text: str) -> None:
        assert told(shell("echo", text)) == []

    def test_a_secret_that_could_not_be_hidden_is_told_wherever_it_stands(self) -> None:
        (problem,) = told(shell("echo", "${secret.PIN ?? 'none'}"))
        assert "fewer than 4" in problem.message

    def test_actions_that_are_not_called_need_none(self) -> None:
        assert told(shell("echo", "${env.NOWHERE}"), Path(), "stop") == []

    def test_what_every_call_needs(self) -> None:
        settings = HTTP | {"baseUrl": "${env.URL}", "headers": {"X": "${env.X}"}, "actions": {"go": "POST /x"}}
        assert [problem.message for problem in told(settings)] == ["env.URL is not set", "env.X is not set"]


class TestPrograms:
    def test_one_that_is_not_there_is_advice(self) -> None:
        (problem,) = told(shell("no-such-program", "x"))
        assert (problem.code, problem.severity) == ("service.program", "warning")
        assert problem.place.path == "services.svc.actions.go.command[0]"

    @pytest.mark.parametrize(("program", "cwd"), [("./tool", "."), ("bin/tool", "."), ("./tool", "bin")])
    def test_paths_begin_in_the_working_directory(self, tmp_path: Path, program: str, cwd: str) -> None:
        assert [each.code for each in told(shell(program, cwd=cwd), tmp_path)] == ["service.program"]
        file = tmp_path / cwd / program
        file.parent.mkdir(exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        assert told(shell(program, cwd=cwd), tmp_path) == []


class TestModules:
    PAY = {"adapter": "python", "module": "pay"}  # noqa: RUF012

    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        (problem,) = told(self.PAY | {"module": "services.payment"}, tmp_path)
        assert (problem.code, problem.message) == ("service.module", "the module services.payment is not found")
        assert str(tmp_path) in problem.hint

    def test_one_that_is_not_python(self, tmp_path: Path) -> None:
        (tmp_path / "pay.py").write_text("import os\n\ndef go(input:\n    pass\n")
        (problem,) = told(self.PAY, tmp_path)
        assert (problem.code, problem.severity) == ("python.syntax", "error")
        assert problem.place[:2] == (str(tmp_path / "pay.py"), 3)

    def test_it_is_not_run(self, tmp_path: Path) -> None:
        (tmp_path / "pay.py").write_text("raise SystemExit('it was run')\n")
        assert told(self.PAY, tmp_path) == []

    def test_it_is_read_again_when_it_has_changed(self, tmp_path: Path) -> None:
        (tmp_path / "pay.py").write_text("def go(:\n")
        assert told(self.PAY, tmp_path)
        (tmp_path / "pay.py").write_text("def go(input): pass\n")
        assert told(self.PAY, tmp_path) == []


def test_the_place_in_the_file_is_told_where_it_is_known() -> None:
    entry = config({"adapter": "pyton"})
    located = type(entry)(entry.name, entry.settings, entry.folder, entry.variable, lambda path: Place("s.yaml", 3, 7))
    assert [str(problem.place) for problem in check_entry(located, ())] == ["s.yaml:3:7"]


def test_nothing_that_a_call_needs_is_loaded() -> None:
    heavy = ["httpx2", "importlib.metadata", "subprocess", "asyncio", "shutil"]
    script = f"""
import sys
from pathlib import Path
from wfrun.adapters.registry import check_entry
from wfrun.adapters.contract import ServiceConfig
for settings in (
    {{"adapter": "http", "baseUrl": "http://localhost", "actions": {{"go": "POST /x"}}}},
    {{"adapter": "shell", "actions": {{"go": {{"command": ["true"]}}}}}},
    {{"adapter": "mock", "actions": {{"go": {{"result": 1}}}}}},
    {{"adapter": "python", "module": "json"}},
):
    assert check_entry(ServiceConfig("s", settings, Path(), lambda kind, name: ""), ["go"]) == []
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
