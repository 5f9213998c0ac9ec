"""Runs the command line in forked children of one warm process: a hundred kills cost a hundred forks, not starts.

Each child is a real process that dies of a real SIGKILL; only the imports are shared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from tests.support import canary
from tests.support.shell import ROOT, environment

_SERVER = """
import json, os, signal, sys, time
import wfrun.app.driving, wfrun.app.batching, wfrun.app.reading, wfrun.cli.main, wfrun.cli.render.progress
import wfrun.adapters.python, wfrun.adapters.http, wfrun.adapters.mock, wfrun.adapters.shell, wfrun.load.shape
import httpx2, jsonschema, sqlite3
from wfrun.cli.main import run
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.environ.update(job["env"])
        os.chdir(job["cwd"])
        for number in (1, 2):
            os.dup2(os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        sys.stdout.reconfigure(line_buffering=True)  # in order with standard error, as on a terminal
        code = 70
        try:
            code = run(job["argv"])
        finally:
            sys.stdout.flush()
            os._exit(code)
    if job["kill_after"] is not None:
        time.sleep(job["kill_after"])
        os.kill(pid, signal.SIGKILL)  # not reaped yet, so the id is still its own
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Ended(NamedTuple):
    """`code` is the exit code, or minus the signal that ended it."""

    code: int
    output: str


class Zygote:
    def __init__(self, cwd: Path, env: dict[str, str]) -> None:
        self._cwd, self._env = cwd, env
        self._output = cwd / "output.txt"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, *argv: str, kill_after: float | None = None, cwd: Path | None = None, **env: str) -> Ended:
        """`wfrun argv…`, ended by SIGKILL after so many seconds unless it ends before."""
        self._output.write_text("")
        job = {
            "argv": argv,
            "env": {**self._env, **env},
            "cwd": str(cwd or self._cwd),
            "output": str(self._output),
            "kill_after": kill_after,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        ended = Ended(int(self._process.stdout.readline()), self._output.read_text())
        assert canary.finds(ended.output) == []
        return ended
