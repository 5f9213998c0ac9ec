"""Data with all that a terminal obeys in it, in every place where data can be, in front of everything that shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Done, Shell

# ESC, a C1 control, bidirectional marks, a bell, a carriage return, a line separator, a zero-width space.
EVIL = "\x1b]0;title\x07\x1b[2J\u202eevil\u2066\u009b1m\r\u2028\u200bx"
OBEYED = {*EVIL} - {*"]0;title[2Jevil1mx"}

WORKFLOW = """
name: hostile
description: EVIL
input: { evil: string }
services:
  m:
    adapter: mock
    actions:
      say: { result: { said: $.evil } }
      no: { error: { type: x.y, message: "${$.evil}", details: { at: "${$.evil}" } } }
errorHandling: { onFailure: pause }
steps:
  - { name: say, service: m, action: say, input: $, output: said, idempotencyKey: "key-${$.evil}" }
  - { name: asked, service: m, action: say, input: $, onError: continue, condition: $.evil != 'x' }
  - { name: emit, type: emit, event: told, data: $.evil }
  - name: approve
    type: human-task
    title: "${$.evil}"
    description: "${$.evil}"
    input: $
    assignee: "${$.evil}"
    output: approval
  - { name: fails, service: m, action: no, input: $ }
output: $
"""


@pytest.fixture
def hostile(shell: Shell) -> Shell:
    shell.write("hostile.yaml", WORKFLOW.replace("EVIL", json.dumps(EVIL)))
    shell.write("input.json", json.dumps({"evil": EVIL}))
    said = [shell.wfrun("run", "hostile.yaml", "--input", "input.json", "--id", "h1")]
    said += [shell.wfrun("status", "h1"), shell.wfrun("tasks"), shell.wfrun("list")]
    said += [shell.wfrun("approve", "h1", "--as", EVIL, "--comment", EVIL)]
    said += [shell.wfrun("set-input", "h1", "fails", json.dumps({"evil": EVIL}), "--as", EVIL, "--reason", EVIL)]
    for done in said:
        _is_harmless(done)
    return shell


def _is_harmless(done: Done) -> None:
    for text in (done.out, done.err):
        assert not OBEYED & {*text}, ascii(text)
    assert done.out + done.err


@pytest.mark.parametrize(
    "line",
    ["status h1", "log h1", "explain h1", "explain h1 fails", "explain h1 approve", "graph h1", "list", "tasks"],
)
def test_no_view_lets_data_command_the_terminal(line: str, hostile: Shell) -> None:
    _is_harmless(hostile.wfrun(*line.split()))


@pytest.mark.parametrize("line", ["status h1 --json", "log h1 --json", "explain h1 --json", "list --json"])
def test_json_keeps_the_value_and_shows_nothing_to_the_terminal_either(line: str, hostile: Shell) -> None:
    done = hostile.wfrun(*line.split())
    _is_harmless(done)
    documents = done.lines if line.startswith("log") else [done.out]
    assert line.startswith("list") or any(EVIL in text for text in _texts([json.loads(each) for each in documents]))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("line", ["status", "run", "resume", "approve", "log", "graph", "validate"])
def test_what_was_typed_is_not_obeyed_when_it_is_told(line: str, shell: Shell) -> None:
    _is_harmless(shell.wfrun(line, EVIL))
