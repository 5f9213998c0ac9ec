"""F1: SIGKILL of real commands at every named crash point. A point that no command comes to any more fails its test."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from tests.support.broken import FAILING, broken
from tests.support.shell import shell
from tests.support.tally import Tally
from wfrun.journal.crash import POINTS

KILLED = 128 + 9
SERVICES = {
    "python": "{ s: { adapter: python, module: noted } }",
    "shell": "{ s: { adapter: shell, actions: { note: { command: [sh, noted.sh], output: text } } } }",
}
# What is noted is the ledger, and so much is answered that it has to be kept apart from the journal.
FILES = {
    "noted.py": """
def note(input, call):
    with open("calls", "a") as file:
        file.write(call.idempotency_key + "\\n")
    return "0123456789" * 10_000
""",
    "noted.sh": """
echo "$WFRUN_IDEMPOTENCY_KEY" >> calls
printf '%0100000d' 0
""",
    "child.yaml": """
name: child
services: SERVICES
steps: { name: pack, service: s, action: note }
""",
    "many.yaml": """
name: many
services: SERVICES
steps:
  - { name: one, service: s, action: note }
  - { name: kid, type: workflow, workflow: child }
  - { name: ask, type: human-task, assignee: bob }
  - { name: last, service: s, action: note }
""",
}
KEYS = ["e/one", "e.kid/pack", "e/last"]
# What is typed from the first to the last, each with its exit code; again by whoever was killed.
LINES = [
    ("wfrun run many.yaml --id e", 4),
    ("wfrun approve e/ask --as bob", 0),
    ("wfrun audit prove e", 0),
    ("wfrun gc --older-than 0s", 0),
]


@pytest.mark.slow
@pytest.mark.parametrize("adapter", SERVICES)
@pytest.mark.parametrize("point", sorted(POINTS))
def test_killed_at_each_point(point: str, adapter: str, tmp_path: Path, tally: Tally) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("SERVICES", SERVICES[adapter]))
    deadly = {"WFRUN_CRASH_AT": point}
    if point == "journal.sync-failed":
        deadly |= broken(tmp_path, FAILING)
    killed = 0
    for line, code in LINES:
        done = shell(line, tmp_path, **({} if killed else deadly))
        if done.code == KILLED:
            killed += 1
            tally.add("F1")
            done = shell(line, tmp_path)
        assert done.code == code, done.out
    assert killed == 1, "nothing comes to this point"
    assert [key for key, _ in groupby((tmp_path / "calls").read_text().split())] == KEYS
    assert shell("wfrun audit verify --all", tmp_path).code == 0
