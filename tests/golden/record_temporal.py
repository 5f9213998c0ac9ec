"""Records histories of this release, to be replayed by all later ones: python -m tests.golden.record_temporal

Each is kept in temporal/<version>/<name>.json, as Temporal exports it, without the names of machines. A release is
recorded once; its files are never changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.temporal import Engine, serving, working
from wfrun import __version__
from wfrun.app import driving
from wfrun.app.elsewhere import RemoteHome
from wfrun.app.onward import Way
from wfrun.app.starting import check_input, first_event
from wfrun.app.watching import carried, watch
from wfrun.app.workflows import open_workflow

FOLDER = Path(__file__).parent / "temporal"

SERVICES = """
services:
  shop:
    adapter: mock
    actions:
      reserve: {result: {id: r-1}}
      pay: [{error: {type: bank.busy, message: later, retryable: true}}, {result: {charge: c-1}}]
      refuse: {error: {type: refused, message: no}}
      release: {result: null}
      refund: {result: null}
errorHandling: {retryPolicy: {policy: fixed, initialDelay: 10ms, jitter: 0}, maxRetries: 1}
"""
ORDER = f"""
name: order
{SERVICES}
steps:
  - {{name: reserve, service: shop, action: reserve, output: reserved}}
  - {{name: pay, service: shop, action: pay, output: paid}}
  - {{name: nap, type: wait, for: 20ms}}
  - {{name: approve, type: human-task, assignee: bosses, timeout: 1h, output: approval}}
compensations:
  reserve: {{service: shop, action: release}}
  pay: {{service: shop, action: refund}}
"""
REFUSED = f"""
name: refused
{SERVICES}
steps:
  - {{name: reserve, service: shop, action: reserve, output: reserved}}
  - type: parallel
    steps:
      - {{name: pay, service: shop, action: pay, output: paid}}
      - {{name: refuse, service: shop, action: refuse}}
compensations:
  reserve: {{service: shop, action: release}}
  pay: {{service: shop, action: refund}}
"""
FAMILY = """
name: family
steps:
  - type: parallel
    steps:
      - {name: told, type: wait, event: news, output: told}
      - {name: sub, type: workflow, workflow: child, input: {n: 2}, output: got}
output: {told: $.told.data, got: $.got}
"""
CHILD = """
name: child
input: {n: number}
steps:
  - {name: tell, type: emit, event: news, data: $.n}
output: $.n
"""
MANY = f"""
name: many
{SERVICES}
steps:
  - type: foreach
    items: ${{range(60)}}
    concurrency: 5
    steps: [{{name: each, service: shop, action: reserve, input: $.item}}]
"""


def approved(home: RemoteHome, execution: str) -> None:
    driving.decide(home, execution, decision="approved", by="ann", way=Way(wait=True))


def cancelled(home: RemoteHome, execution: str) -> None:
    driving.cancel(home, execution, by="ann", reason="ordered twice")


def left(home: RemoteHome, execution: str) -> None:
    """As it came to be by itself."""


CASES: dict[str, tuple[str, Callable[[RemoteHome, str], None]]] = {
    "approved": (ORDER, approved),
    "cancelled": (ORDER, cancelled),
    "waiting": (ORDER, left),
    "compensated": (REFUSED, left),
    "family": (FAMILY, left),
    "many": (MANY, left),
}


def record(engine: Engine, folder: Path, name: str) -> dict[str, Any]:
    source, go_on = CASES[name]
    (folder / "child.yaml").write_text(CHILD)
    file = folder / f"{name}.yaml"
    file.write_text(source)
    home, flow = engine.home(), open_workflow(str(file), None)
    definitions = {
        sha: {**entry, "file": f"/srv/shop/{Path(entry['file']).name}"} for sha, entry in carried(flow).items()
    }
    first = first_event(
        name, flow, check_input(flow, {}), {"file": f"/srv/shop/{name}.yaml"}, "eve", "0123456789abcdef"
    )
    assert home.workers.start(dict(first), definitions)
    watch(home, name, Way())
    go_on(home, name)
    handle = engine.namespace.client.get_workflow_handle(name)
    return {"history": json.loads(engine.ask(handle.fetch_history()).to_json())}


def without_machines(value: Any) -> Any:
    if isinstance(value, list):
        return [without_machines(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        return {**value, "name": "sticky"}
    blank = {"identity": "worker", "stackTrace": ""}
    return {key: blank.get(key, without_machines(each)) for key, each in value.items()}


def main() -> None:
    target = FOLDER / __version__
    target.mkdir(parents=True)
    settings = ["limit.historyCount.suggestContinueAsNew=150"]
    with TemporaryDirectory() as folder, serving(Path(folder), settings=settings) as server, working(server) as engine:
        for name in CASES:
            history = without_machines(record(engine, Path(folder), name))["history"]
            (target / f"{name}.json").write_text(json.dumps(history, indent=1) + "\n")


if __name__ == "__main__":
    main()
