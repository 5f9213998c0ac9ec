"""Lines for work inside one process: many orders at a time, one long sequence, and taking up a long execution again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.documents import FAILING, ORDER, STEPS_OF, Sizes, write_sequence
from benchmarks.peer import Peer, time_to_reach
from benchmarks.process import measure, measure_json, wfrun_command
from benchmarks.report import Line
from benchmarks.workflows.noop import REACHED

ORDERS_AIM = 10_000
SEQUENCE_AIM = 2_000
SYNCS_AIM = 1.5
RESUME_AIM_MS = 200

_JOBS = [sys.executable, "-m", "benchmarks.jobs"]


def order_lines(folder: Path, sizes: Sizes, peer: Peer) -> list[Line]:
    return [
        _orders(f"{sizes.orders:,} orders of 7 steps, {sizes.concurrency} at a time", ORDER, folder, sizes, peer),
        _orders("the same, failing at step 6, 5 compensations", FAILING, folder, sizes, peer),
    ]


def _orders(name: str, document: Path, folder: Path, sizes: Sizes, peer: Peer) -> Line:
    """Durable steps in a second. Homes are kept until the end: see docs/speed.md."""
    rates = []
    for number in range(sizes.runs):
        home = str(folder / f"{document.stem}-{number}")
        report = measure_json([*_JOBS, "orders", home, str(document), str(sizes.orders), str(sizes.concurrency)])
        rates.append(STEPS_OF[document] * sizes.orders / report["seconds"])
    theirs = peer.rate(document.stem, sizes.peer_orders, sizes.peer_runs, str(sizes.concurrency))
    return Line(name, "steps/s", rates, ORDERS_AIM, theirs)


def sequence_lines(folder: Path, sizes: Sizes, peer: Peer) -> list[Line]:
    document = write_sequence(folder, sizes.steps - 1)
    environment = {REACHED: str(folder / "reached-by-sequence")}
    reports: list[dict[str, Any]] = [
        measure_json([*_JOBS, "sequence", str(folder / f"sequence-{number}"), str(document)], environment=environment)
        for number in range(sizes.runs)
    ]
    theirs = peer.rate("sequence", sizes.peer_steps, sizes.peer_runs)
    name = f"{sizes.steps:,} steps, one after the other"
    return [
        Line(name, "steps/s", [report["steps"] / report["seconds"] for report in reports], SEQUENCE_AIM, theirs),
        Line(f"{name}, syncs for each", "syncs", [report["syncs"] / report["steps"] for report in reports], SYNCS_AIM),
    ]


def resume_lines(folder: Path, sizes: Sizes, peer: Peer) -> list[Line]:
    """A whole `wfrun resume` of an execution whose process died after `steps` steps, until the next step is called."""
    document = write_sequence(folder, sizes.steps)
    home = folder / "stopped"
    measure([*wfrun_command(), "run", str(document), "--id", "long", "--home", str(home)])
    values = [_resumed(home, folder / f"resumed-{number}") for number in range(sizes.runs)]
    theirs = peer.resume(sizes.steps, folder / "reached-by-peer", REACHED)
    return [Line(f"resume after {sizes.steps:,} steps, to the next", "ms", values, RESUME_AIM_MS, theirs)]


def _resumed(stopped: Path, home: Path) -> float:
    shutil.copytree(stopped, home)
    command = [*wfrun_command(), "resume", "long", "--home", str(home)]
    return time_to_reach(command, home.with_suffix(".reached"), REACHED)


def all_lines(folder: Path, sizes: Sizes, peer: Peer) -> Sequence[Line]:
    return [
        *sequence_lines(folder, sizes, peer),
        *order_lines(folder, sizes, peer),
        *resume_lines(folder, sizes, peer),
    ]
