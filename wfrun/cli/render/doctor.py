"""What `wfrun doctor` found: a line if all is well, else each finding with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import paint, safe

if TYPE_CHECKING:
    from wfrun.app.doctoring import Finding, Report

_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}


# Executions that were left behind are found one by one, and there may be thousands.
_MANY = 3
_INTERRUPTED = "execution.interrupted"


def report_lines(report: Report) -> list[str]:
    interrupted = [each for each in report["findings"] if each["code"] == _INTERRUPTED]
    if len(interrupted) <= _MANY:
        return [*_each(report["findings"]), _summary(report)]
    others = (each for each in report["findings"] if each["code"] != _INTERRUPTED)
    return [*_each(others), *_together(interrupted), _summary(report)]


def _each(findings: Iterable[Finding]) -> Iterator[str]:
    return (line for finding in findings for line in _lines(finding))


def _together(interrupted: Sequence[Finding]) -> Iterator[str]:
    ids = ", ".join(safe(each["where"]) for each in interrupted[:_MANY])
    word = paint(_COLOURS[interrupted[0]["severity"]], interrupted[0]["severity"])
    yield f"{ids}, …: {word}[{_INTERRUPTED}] {len(interrupted):,} executions whose runner is gone have something to do"
    yield "  hint: `wfrun list --status interrupted`; `wfrun resume --where 'status == interrupted'` has all go on"


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
