"""Runs the command line in forked children of one warm process: a hundred kills cost a hundred forks, not starts.

Each child is a real process that dies of a real SIGKILL; only the imports are shared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, Signals
from types import MappingProxyType, TracebackType
from typing import NamedTuple

from tests.support import canary
from tests.support.shell import ROOT, environment

NO_LIMITS: Mapping[str, int] = MappingProxyType({})

_SERVER = """
import ctypes, fcntl, json, os, resource, sys, time, traceback
import wfrun.app.driving, wfrun.app.batching, wfrun.app.reading, wfrun.cli.main, wfrun.cli.render.progress
import wfrun.adapters.python, wfrun.adapters.http, wfrun.adapters.mock, wfrun.adapters.shell, wfrun.load.shape
import httpx2, jsonschema, sqlite3
from wfrun.__main__ import main

def give_up_all_capabilities():
    # From here on root is refused what others are refused. By capset(2): version 3, this process, three empty sets.
    ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())

for line in sys.stdin:
    job = json.loads(line)
    # A pipe that all fits into, for whoever may not write to files, and whose children outlive it.
    output, said = os.pipe()
    fcntl.fcntl(said, fcntl.F_SETPIPE_SZ, 1 << 20)
    pid = os.fork()
    if pid == 0:
        os.environ.update(job["env"])
        os.chdir(job["cwd"])
        for number in (1, 2):
            os.dup2(said, number)
        os.closerange(3, 64)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        sys.stdout.reconfigure(line_buffering=True)  # in order with standard error, as on a terminal
        sys.argv = ["wfrun", *job["argv"]]
        if job["powerless"]:
            give_up_all_capabilities()
        for name, limit in job["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))
        code = 70
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    if job["kill_after"] is not None:
        time.sleep(job["kill_after"])
        os.kill(pid, job["signal"])  # not reaped yet, so the id is still its own
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(said)
    os.set_blocking(output, False)
    words = b""
    try:
        while more := os.read(output, 1 << 20):
            words += more
    except BlockingIOError:
        pass
    os.close(output)
    print(json.dumps([code, words.decode(errors="replace")]), flush=True)
"""


class Ended(NamedTuple):
    """`code` is the exit code, or minus the signal that ended it."""

    code: int
    output: str


class Zygote:
    def __init__(self, cwd: Path, env: dict[str, str], inside: Sequence[str] = ()) -> None:
        """`inside` is a command that runs another one: the one in whose world all this happens."""
        self._cwd, self._env = cwd, env
        self._process = subprocess.Popen(
            [*inside, sys.executable, "-c", _SERVER],
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

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(
        self,
        *argv: str,
        kill_after: float | None = None,
        signal: Signals = SIGKILL,
        limits: Mapping[str, int] = NO_LIMITS,
        powerless: bool = False,
        cwd: Path | None = None,
        **env: str,
    ) -> Ended:
        """`wfrun argv…`, which gets a signal after so many seconds unless it ends before.

        `limits` are those of setrlimit(2), such as NOFILE; whoever is `powerless` is not root, even if we are.
        """
        job = {
            "argv": argv,
            "env": {**self._env, **env},
            "cwd": str(cwd or self._cwd),
            "kill_after": kill_after,
            "signal": signal,
            "limits": dict(limits),
            "powerless": powerless,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        ended = Ended(*json.loads(self._process.stdout.readline()))
        assert canary.finds(ended.output) == []
        return ended
