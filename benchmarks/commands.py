"""Lines for commands, each a process of its own, in turns with a bare Python: what a user waits for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

from benchmarks.documents import ORDER, THREE, Sizes
from benchmarks.peer import Peer
from benchmarks.process import Measured, measure, wfrun_command
from benchmarks.report import Line

READ_AIM_MS = 60
COLD_AIM_MS = 150
COLD_AIM_MB = 45


def read_lines(folder: Path, sizes: Sizes) -> list[Line]:
    """Commands that only look, in a home of a few executions: milliseconds beyond a bare Python."""
    home = str(folder / "read")
    execution = _fill(home, folder, sizes.listed)
    commands = {
        "wfrun --version": ["--version"],
        "wfrun --help": ["--help"],
        "wfrun status": ["status", execution, "--home", home],
        "wfrun list": ["list", "--home", home],
        "wfrun tasks": ["tasks", "--home", home],
    }
    bare: list[float] = []
    whole: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_rounds(sizes)):
        bare.append(measure([sys.executable, "-c", "pass"]).ms)
        for name, arguments in commands.items():
            whole[name].append(measure([*wfrun_command(), *arguments]).ms)
    python = median(bare)
    beyond = {name: [ms - python for ms in values] for name, values in whole.items()}
    lines = [Line(f"{name}, beyond Python", "ms", values, READ_AIM_MS) for name, values in beyond.items()]
    return [Line("python -c pass", "ms", bare), *lines]


def _rounds(sizes: Sizes) -> int:
    """A command is short and the machine is never quiet: more rounds than for the long jobs."""
    return sizes.runs * 3


def _fill(home: str, folder: Path, count: int) -> str:
    inputs = folder / "orders.jsonl"
    inputs.write_text("".join(f'{{"order": {{"id": "order-{number}"}}}}\n' for number in range(count)))
    measure([*wfrun_command(), "batch", str(ORDER), "--inputs", str(inputs), "--home", home, "--json"])
    listed = json.loads(measure([*wfrun_command(), "list", "--home", home, "--json"]).output)
    return str(_executions(listed)[0]["execution"])


def _executions(listed: object) -> list[dict[str, object]]:
    if isinstance(listed, dict):
        listed = listed["executions"]
    assert isinstance(listed, list)
    return listed


def cold_lines(folder: Path, sizes: Sizes, peer: Peer) -> list[Line]:
    """A whole `wfrun run` of three steps that do nothing, the first in a new home and one in a home that knows it."""
    first: list[Measured] = []
    later: list[Measured] = []
    for number in range(sizes.runs):
        home = str(folder / f"cold-{number}")
        first.append(_run_three(home))
        later.append(_run_three(home))
    theirs = peer.cold(sizes.peer_runs)
    their_ms = median(each.ms for each in theirs) if theirs else None
    their_mb = median(each.memory_mb for each in theirs) if theirs else None
    return [
        Line("run of 3 steps, new home", "ms", [each.ms for each in first], COLD_AIM_MS, their_ms),
        Line("run of 3 steps", "ms", [each.ms for each in later], COLD_AIM_MS, their_ms),
        Line("run of 3 steps, memory", "MB", [each.memory_mb for each in later], COLD_AIM_MB, their_mb),
    ]


def _run_three(home: str) -> Measured:
    return measure([*wfrun_command(), "run", str(THREE), "--home", home])
