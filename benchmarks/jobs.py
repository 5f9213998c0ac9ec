"""Work inside one process, which reports what it cost as one line of JSON.

python -m benchmarks.jobs orders   HOME DOCUMENT COUNT CONCURRENCY
python -m benchmarks.jobs sequence HOME DOCUMENT
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from time import perf_counter
from typing import Any

from benchmarks.process import BenchmarkFailedError
from wfrun.app.batching import batch
from wfrun.app.driving import run
from wfrun.core.values import Json
from wfrun.errors import WfrunError
from wfrun.journal.home import Home
from wfrun.journal.io import OsFiles
from wfrun.views.model import Summary


class CountingFiles(OsFiles):
    """The real disk, and how often it was asked to make something durable."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync(self, fd: int) -> None:
        self.syncs += 1
        super().sync(fd)

    def sync_directory(self, path: str) -> None:
        self.syncs += 1
        super().sync_directory(path)

    def sync_filesystem(self, fd: int) -> None:
        self.syncs += 1
        super().sync_filesystem(fd)


def orders(path: str, document: str, count: int, concurrency: int) -> dict[str, Any]:
    """`wfrun batch`, without the command line. A few orders go before: whoever runs thousands starts once."""
    files = CountingFiles()
    home = Home(path, files)
    _batch(home, document, concurrency, concurrency)
    before = files.syncs
    begun = perf_counter()
    statuses = _batch(home, document, count, concurrency)
    return {"seconds": perf_counter() - begun, "syncs": files.syncs - before, "statuses": statuses}


def _batch(home: Home, document: str, count: int, concurrency: int) -> dict[str, int]:
    statuses: Counter[str] = Counter()

    def finished(number: int, outcome: Summary | WfrunError) -> None:
        if isinstance(outcome, WfrunError):
            raise BenchmarkFailedError(str(outcome))
        statuses[outcome["status"]] += 1

    inputs: Iterator[tuple[int, Json]] = ((number, {"order": {"id": f"order-{number}"}}) for number in range(count))
    batch(home, workflow=document, inputs=inputs, concurrency=concurrency, finished=finished)
    return dict(statuses)


def sequence(path: str, document: str) -> dict[str, Any]:
    """One execution, from its first record to its last: reading the definition is not part of a step."""
    files = CountingFiles()
    view = run(Home(path, files), workflow=document).view
    ended = view["endedAt"]
    if view["status"] != "completed" or ended is None:
        raise BenchmarkFailedError(f"the sequence is {view['status']}: {view['error']}")
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(view["startedAt"])).total_seconds()
    return {"seconds": seconds, "syncs": files.syncs, "steps": view["progress"]["total"]}


def main(arguments: list[str]) -> None:
    match arguments:
        case ["orders", home, document, count, concurrency]:
            report = orders(home, document, int(count), int(concurrency))
        case ["sequence", home, document]:
            report = sequence(home, document)
        case _:
            raise SystemExit(__doc__)
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
