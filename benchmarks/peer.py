"""The peer: DBOS on SQLite, doing the same work in its own idioms. Without it, its column stays empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from benchmarks.process import BenchmarkFailedError, Measured, measure, measure_json

_PROGRAM = str(Path(__file__).parent / "dbos_jobs.py")


@dataclass(frozen=True, slots=True)
class Peer:
    """A Python that has `dbos`, of `version`; both are empty if there is none. Databases are made in `folder`."""

    python: str
    version: str
    folder: Path

    @property
    def name(self) -> str:
        return f"DBOS {self.version}" if self.version else "no peer"

    def cold(self, runs: int) -> list[Measured]:
        """Whole processes that run three steps in a database that exists."""
        if not self.version:
            return []
        database = str(self.folder / "cold.sqlite")
        return [measure([self.python, _PROGRAM, "three", database]) for _ in range(runs + 1)][1:]

    def rate(self, job: str, count: int, runs: int, *arguments: str) -> float | None:
        """Median of durable steps in a second, each run in a new database."""
        if not self.version:
            return None
        return median(_rate(self._job(job, number, str(count), *arguments)) for number in range(runs))

    def resume(self, steps: int, reached: Path, environment: str) -> float | None:
        """Milliseconds from a process's start to the step after `steps` finished ones."""
        if not self.version:
            return None
        database = str(self.folder / "resume.sqlite")
        measure([self.python, _PROGRAM, "stop", database, str(steps)])
        command = [self.python, _PROGRAM, "resume", database, str(steps)]
        return time_to_reach(command, reached, environment)

    def _job(self, job: str, number: int, *arguments: str) -> Any:
        return measure_json([self.python, _PROGRAM, job, str(self.folder / f"{job}-{number}.sqlite"), *arguments])


def _rate(report: dict[str, float]) -> float:
    return report["steps"] / report["seconds"]


def time_to_reach(command: Sequence[str], reached: Path, environment: str) -> float:
    """Milliseconds from the start of a command until it wrote the instant into the file `reached`.

    The file's name is given to the command in the variable `environment`; instants are of the monotonic clock, which
    all processes of a machine share.
    """
    begun = monotonic()
    measure(command, environment={environment: str(reached)})
    return (float(reached.read_text()) - begun) * 1_000


def find_peer(python: str, folder: Path) -> Peer:
    """What `python` can import decides."""
    folder.mkdir(parents=True, exist_ok=True)
    code = "from importlib.metadata import version; import dbos; print(version('dbos'))"
    try:
        version = measure([python, "-c", code]).output.strip()
    except (BenchmarkFailedError, OSError):
        version = ""
    return Peer(python, version, folder)
