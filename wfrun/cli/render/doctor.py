"""What `wfrun doctor` found: a line if all is well, else each finding with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfrun.cli.text import paint, safe

if TYPE_CHECKING:
    from wfrun.app.doctoring import Finding, Report

_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}


def report_lines(report: Report) -> list[str]:
    lines = [line for finding in report["findings"] for line in _lines(finding)]
    return [*lines, _summary(report)]


def _lines(finding: Finding) -> Iterator[str]:
    word = paint(_COLOURS[finding["severity"]], finding["severity"])
    yield f"{safe(finding['where'])}: {word}[{finding['code']}] {safe(finding['message'])}"
    if finding["fixed"]:
        yield f"  fixed: {safe(finding['fix'])}"
    elif finding["hint"]:
        fix = "; `wfrun doctor --fix` does it" if finding["fix"] else ""
        yield f"  hint: {safe(finding['hint'])}{fix}"


def _summary(report: Report) -> str:
    left = sum(not finding["fixed"] and finding["severity"] != "note" for finding in report["findings"])
    versions = report["versions"]
    free = f"{report['freeBytes'] / 2**30:.1f} GiB free" if report["freeBytes"] is not None else "not there yet"
    parts = [
        f"{left} to look at" if left else "ok",
        f"{report['executions']} executions in {report['home']}",
        ", ".join(filter(None, (report["fileSystem"], free))),
        f"wfrun {versions['wfrun']}, Python {versions['python']}, SQLite {versions['sqlite']}",
        versions["system"],
    ]
    return safe(" · ".join(parts))
