"""`python -m benchmarks [--json]`: measure everything and print one table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.commands import cold_lines, read_lines
from benchmarks.disk import group_sync_ms, sync_ms
from benchmarks.documents import TINY, Sizes
from benchmarks.peer import Peer, find_peer
from benchmarks.report import Line, text_table
from benchmarks.throughput import all_lines


def measured_lines(folder: Path, sizes: Sizes, peer: Peer) -> list[Line]:
    """Every line, between two looks at the disk. Homes are made in `folder` and left there."""
    before = _disk(folder, sizes)
    lines = [*read_lines(folder, sizes), *cold_lines(folder, sizes, peer), *all_lines(folder, sizes, peer)]
    after = _disk(folder, sizes)
    disk = [
        Line(name, "ms", [value for value in values if value is not None])
        for name, values in zip(("fdatasync", "syncfs of 50 journals"), zip(before, after, strict=True), strict=True)
        if None not in values
    ]
    return [*disk, *lines]


def _disk(folder: Path, sizes: Sizes) -> tuple[float, float | None]:
    return sync_ms(folder, sizes.disk_rounds), group_sync_ms(folder, sizes.disk_rounds // 2 + 1)


def machine() -> dict[str, str | int]:
    return {"python": platform.python_version(), "cpus": os.cpu_count() or 0, "system": platform.platform()}


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--runs", type=int, default=Sizes().runs, help="how often each is measured (%(default)s)")
    parser.add_argument("--tiny", action="store_true", help="a few of everything: whether it works, not how fast it is")
    parser.add_argument("--folder", help="where homes are made, on the disk that is to be measured")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has dbos")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    options = parse(arguments)
    sizes = TINY if options.tiny else replace(Sizes(), runs=options.runs)
    folder = Path(tempfile.mkdtemp(prefix="wfrun-benchmarks-", dir=options.folder))
    try:
        peer = find_peer(options.peer_python, folder / "peer")
        lines = measured_lines(folder, sizes, peer)
    finally:
        # Only now: while files that were just deleted are many, making new ones takes ext4 up to forty times as long.
        shutil.rmtree(folder)
    if options.json:
        report = {"machine": machine(), "peer": peer.name, "lines": [line.as_json() for line in lines]}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(text_table(lines, peer.name))


if __name__ == "__main__":
    main(sys.argv[1:])
