"""A loan that was approved and paid, or undone, on a real disk: played once, and copied for each test."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from wfrun.app import driving
from wfrun.journal.home import Home

LOAN = """
name: loan
version: 3
services:
  bank:
    adapter: mock
    default: { result: { ok: true, score: 700 } }
    actions:
      flaky: [ { error: { type: http.503, message: down } }, { result: { done: 1 } } ]
      broken: { error: { type: bank.closed, message: closed } }
input:
  amount: { type: number, minimum: 1 }
  channel: { type: string, default: web }
steps:
  - { name: book, service: bank, action: book, input: { n: $.amount }, output: booked,
      compensate: { service: bank, action: unbook } }
  - { name: reserve, service: bank, action: reserve, compensate: { service: bank, action: release } }
  - { name: rate, service: bank, action: flaky, output: rate,
      retry: { policy: fixed, initialDelay: 1ms, maxRetries: 1 } }
  - { name: sums, type: set, values: { total: '${$.booked.score + 1}' } }
  - name: approval
    type: human-task
    assignee: { users: [ann, bob], excludeInitiator: true }
    form: { limit: { type: integer, maximum: 10 } }
    timeout: 7d
  - name: large
    condition: $.amount > 100
    service: bank
    action: review
    input: { of: $.booked, total: $.total }
  - { name: pay, service: bank, action: ACTION }
output: { total: $.total }
"""


def started(folder: Path, action: str = "pay") -> Home:
    """A loan of 500, approved by bob."""
    shutil.copytree(played(action), folder / "home")
    return Home(folder / "home")


@cache
def played(action: str) -> Path:
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    home = Home(folder / "home")
    (folder / "loan.yaml").write_text(LOAN.replace("ACTION", action))
    driving.run(home, workflow=str(folder / "loan.yaml"), input={"amount": 500}, execution="e", initiator="ann")
    driving.decide(home, "e", decision="approved", by="bob", data={"limit": 5})
    return folder / "home"
