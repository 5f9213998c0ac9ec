"""Services that give a secret away in every way they have; and that it would be found if it were not hidden."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support import canary
from wfrun.adapters.secrets import Redactor
from wfrun.app import driving
from wfrun.journal.home import Home

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

    from tests.acceptance.conftest import Shell, Start

# Says on both outputs, in every dress, and in pieces that come one after the other, what it was told.
TELLTALE = """
import base64, json, sys, time, urllib.parse
secret, how = sys.argv[1:]
basic = base64.b64encode(b"user:" + secret.encode()).decode()
dresses = [secret, json.dumps(secret), urllib.parse.quote(secret), basic]
for dress in dresses:
    for piece in (dress[:5], dress[5:] + "\\n"):
        sys.stderr.write(piece)
        sys.stderr.flush()
        time.sleep(0.02)
if how == "wait":
    open("begun", "w").close()
    time.sleep(60)
if how == "state":
    print(json.dumps({"error": {"type": "told.it", "message": secret, "details": {basic: dresses}}}))
    sys.exit(1)
if how == "long":
    sys.stderr.write("x " * 240 + secret + " y" * 600)
print(json.dumps(dresses) if how == "ok" else secret)
sys.exit(how != "ok")
"""
FUNCTIONS = """
import os

def raised(input):
    raise ValueError("it is " + os.environ["WFRUN_CANARY"])

def printed(input):
    return {os.environ["WFRUN_CANARY"]: [os.environ["WFRUN_CANARY"]]}
"""
WORKFLOW = """
name: telltale
input: { how: { type: string, default: ok } }
services:
  tell: { adapter: shell, actions: { go: { command: [PYTHON, tell.py, "${secret.WFRUN_CANARY}", $.how] } } }
  mock:
    adapter: mock
    record: calls.jsonl
    actions:
      go: { result: { a: "${secret.WFRUN_CANARY}" } }
      no: { error: { type: x.y, message: "${secret.WFRUN_CANARY}" } }
  web:
    adapter: http
    baseUrl: "URL"
    auth: { type: bearer, token: "${secret.WFRUN_CANARY}" }
    actions: { echo: { method: GET, path: /echo, query: { q: "${secret.WFRUN_CANARY}" } } }
  own: { adapter: python, module: functions, isolate: ISOLATE }
steps:
  - { name: tell, service: tell, action: go, input: { how: $.how }, output: told, onError: CONTINUE }
  - { name: mocked, service: mock, action: go, output: mocked }
  - { name: refused, service: mock, action: no, onError: continue }
  - { name: web, service: web, action: echo, output: web, onError: continue }
  - { name: raised, service: own, action: raised, onError: continue }
  - { name: printed, service: own, action: printed, output: printed }
output: $
"""


@pytest.fixture
def told(shell: Shell, httpserver: HTTPServer) -> Shell:
    body = {"in": [canary.SECRET, quote(canary.SECRET), b64encode(canary.SECRET.encode()).decode()]}
    httpserver.expect_request("/echo").respond_with_json(body, status=500, headers={"X-Trace": quote(canary.SECRET)})
    shell.write("tell.py", TELLTALE)
    shell.write("functions.py", FUNCTIONS)
    text = WORKFLOW.replace("PYTHON", sys.executable).replace("URL", httpserver.url_for(""))
    for name, isolate, caught in (("telltale", "false", "continue"), ("isolated", "true", "continue")):
        shell.write(f"{name}.yaml", text.replace("ISOLATE", isolate).replace("CONTINUE", caught))
    shell.write("failing.yaml", text.replace("ISOLATE", "false").replace(", onError: CONTINUE", ""))
    return shell


def look(shell: Shell) -> None:
    """Everything that shows an execution; what is said is searched by the shell itself, and the files here."""
    for command in ("status", "log", "explain", "graph"):
        shell.wfrun(command, "t1")
        shell.wfrun(command, "t1", "--json")
    shell.wfrun("list", "--json")
    shell.wfrun("reindex")
    assert canary.leaks(shell.folder) == []


@pytest.mark.parametrize("how", ["ok", "no", "state", "long"])
@pytest.mark.parametrize("file", ["telltale.yaml", "isolated.yaml", "failing.yaml"])
def test_nothing_that_is_told_gets_out(file: str, how: str, told: Shell) -> None:
    told.wfrun("run", file, "--set", f"how={how}", "--id", "t1")
    assert "***" in told.wfrun("log", "t1", "--json").out
    look(told)


def test_nor_what_a_runner_leaves_that_dies(told: Shell, start: Start) -> None:
    runner = start("run", "telltale.yaml", "--set", "how=wait", "--id", "t1")
    deadline = time.monotonic() + 20
    while not (told.folder / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    look(told)


def test_without_the_hiding_it_would_be_found(told: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: it gets into the journal, and the search sees it there in each dress."""
    monkeypatch.setattr(Redactor, "_hide", lambda self, value: value)
    monkeypatch.setattr(Redactor, "text", lambda self, text: text)
    home = Home(told.folder / "bare")
    try:
        driving.run(home, workflow=str(told.folder / "telltale.yaml"), execution="t1")
        assert len(canary.leaks(told.folder / "bare")) == 3  # as it is in JSON, in a URL, in base64
    finally:
        shutil.rmtree(told.folder / "bare")


@pytest.mark.parametrize("around", [b"", b"a", b"ab", b"abc"])
def test_base64_is_seen_at_every_place(around: bytes) -> None:
    assert canary.finds(b64encode(around + canary.SECRET.encode() + b"zz"))
    assert canary.finds(json.dumps({"a": canary.SECRET}))
    assert not canary.finds("an innocent text, and *** of it")
