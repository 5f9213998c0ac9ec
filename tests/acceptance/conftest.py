"""`wfrun` as it is typed: a real process in a directory of its own, its text, its JSON and its exit code."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from tests.support import canary

REPOSITORY = Path(__file__).parent.parent.parent
GALLERY = REPOSITORY / "workflows"
SCHEMAS = REPOSITORY / "schemas"

# Three steps, the second of which takes as long as is asked for.
SLOW = """
name: slow
services:
  work:
    adapter: mock
    record: calls.jsonl
    actions:
      fast: { result: { said: done, echo: "${secret.WFRUN_CANARY}" } }
      slow: { delay: DELAY, result: done at last }
steps:
  - { name: first, service: work, action: fast, output: first }
  - { name: second, service: work, action: slow, output: second }
  - { name: third, service: work, action: fast, output: third }
output: { said: $.second }
"""


# One call, which fails.
FAILING = """
name: failing
services: { m: { adapter: mock, actions: { x: { error: { type: shop.closed, message: MESSAGE } } } } }
steps: { name: s, service: m, action: x }
"""


@cache
def _registry() -> Registry[Any]:
    registry: Registry[Any] = Registry()
    for path in SCHEMAS.glob("cli-*.schema.json"):
        contents = json.loads(path.read_text())
        registry = registry.with_resource(contents["$id"], Resource.from_contents(contents, DRAFT7))
    return registry


def check(schema: str, value: Any) -> Any:
    """The value, if it is what schemas/cli-<schema>.schema.json says."""
    described = json.loads((SCHEMAS / f"cli-{schema}.schema.json").read_text())
    formats = jsonschema.FormatChecker()
    validator = jsonschema.Draft7Validator(described, registry=_registry(), format_checker=formats)
    validator.validate(value)
    return value


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self, schema: str) -> Any:
        return check(schema, json.loads(self.out))

    def json_lines(self, schema: str) -> list[Any]:
        return [check(schema, json.loads(line)) for line in self.lines]

    def error(self) -> Any:
        return self.json("error")["error"]


def overheard(done: subprocess.CompletedProcess[str]) -> Done:
    """What a command has said, which is no traceback and has no secret in it."""
    assert "Traceback" not in done.stderr, done.stderr
    assert canary.finds(done.stdout + done.stderr) == []
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass
class Shell:
    """A working directory, and an environment without this machine's own settings."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", canary.NAME) if name in os.environ}
        return {**kept, "PYTHONPATH": str(REPOSITORY), "LOGNAME": "ada", **self.environment, **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "wfrun", *arguments]

    def wfrun(self, *arguments: str, stdin: str = "", **variables: str) -> Done:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables(**variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return overheard(done)

    def typed(self, line: str, **variables: str) -> Done:
        """A line as it is typed into bash, in which `wfrun` is the command."""
        function = f'wfrun() {{ {shlex.join(self.command())} "$@"; }}\n'
        done = subprocess.run(
            ["bash", "-c", function + line],
            cwd=self.folder,
            env=self.variables(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return overheard(done)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def slow(self, delay: str = "0s") -> str:
        """Write a workflow whose second step takes `delay`, and a services file with which it takes no time."""
        actions = {"fast": {"result": "done"}, "slow": {"result": "done at last"}}
        self.write("quick.yaml", json.dumps({"work": {"adapter": "mock", "record": "calls.jsonl", "actions": actions}}))
        return self.write("slow.yaml", SLOW.replace("DELAY", delay))

    def failing(self, message: str) -> str:
        """Write a workflow whose only call fails with this message."""
        return self.write("failing.yaml", FAILING.replace("MESSAGE", json.dumps(message)))

    def state(self) -> dict[str, tuple[int, int, int]]:
        """Every file and directory of the working directory, with size, mode and time of change."""
        found = ((path, path.lstat()) for path in self.folder.rglob("*"))
        return {str(path): (stat.st_size, stat.st_mode, stat.st_mtime_ns) for path, stat in found}


ORDER = (str(GALLERY / "order/order.yaml"), "--input", str(GALLERY / "order/order.json"))
LOAN = (str(GALLERY / "loan/loan.yaml"), "--input", str(GALLERY / "loan/loan.json"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, Done]:
    """A directory in which an order has been run, for those who only look."""
    shell = Shell(tmp_path_factory.mktemp("ordered"))
    return shell, shell.wfrun("run", *ORDER, "--id", "order-1")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, Done]:
    """A directory in which a loan waits for its manager, for those who only look."""
    shell = Shell(tmp_path_factory.mktemp("asked"))
    return shell, shell.wfrun("run", *LOAN, "--id", "loan-1")


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(shell: Shell) -> Iterator[Start]:
    """Start a command that is still running when the test goes on; it is ended with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        running.append(shell.start(*arguments, **variables))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()
