"""A command as a user starts it, from outside: how long, how much memory, and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """One process, from its start until it was waited for. `memory_mb` is its peak resident size in 10⁶ bytes."""

    ms: float
    memory_mb: float
    output: str


class BenchmarkFailedError(Exception):
    """A command did not do what is measured; its figure would mean nothing."""


def measure(command: Sequence[str], *, expect: int = 0, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end. BenchmarkFailedError unless it ends with the exit code `expect`."""
    begun = perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        output, errors = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    ms = (perf_counter() - begun) * 1_000
    if child.returncode != expect:
        raise BenchmarkFailedError(f"{' '.join(command)} ended with {child.returncode}: {errors.decode()[-2_000:]}")
    return Measured(ms, _bytes(usage.ru_maxrss) / 1e6, output.decode())


def _bytes(maxrss: int) -> int:
    """macOS counts in bytes, Linux in KiB."""
    return maxrss if sys.platform == "darwin" else maxrss * 1024


def measure_json(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Any:
    """What a job reported: the last line of its output."""
    return json.loads(measure(command, environment=environment).output.splitlines()[-1])


def wfrun_command() -> list[str]:
    """The installed command, as typed; from a checkout without one, the module."""
    script = Path(sys.executable).with_name("wfrun")
    return [str(script)] if script.exists() else [sys.executable, "-m", "wfrun"]
