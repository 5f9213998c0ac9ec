"""Workers and the server are killed with SIGKILL, histories grow beyond their limits, results beyond theirs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

import pytest

from tests.support.orders import ORDER, each_effect_once
from tests.support.shell import ROOT
from tests.support.tally import Tally, seed, size
from tests.support.temporal import Engine, Server, serving, soon, working
from wfrun.app import answering, driving, reading
from wfrun.app.evidence import of_home
from wfrun.app.onward import Way
from wfrun.app.proving import is_proved, prove
from wfrun.engines.temporal import client
from wfrun.engines.temporal.codec import store_at
from wfrun.errors import JournalError, UsageError
from wfrun.journal.journal import Journal
from wfrun.load.json import parse_json

P = ParamSpec("P")
T = TypeVar("T")

PARKED = """
name: parked
services: {s: {adapter: mock, actions: {a: {result: done}}}}
steps:
  - {name: before, service: s, action: a}
  - {name: approve, type: human-task, assignee: bosses}
  - {name: after, service: s, action: a, output: after}
output: $.after
"""

LOST = """
name: lost
services: {s: {adapter: mock, default: {delay: 8s, result: {}}}}
steps:
  type: parallel
  steps: [{name: pay, service: s, action: a, onCrash: ask}, {name: note, service: s, action: a}]
"""

MANY = """
name: many
input: {count: integer}
services: {s: {adapter: mock, actions: {double: {result: ok}}}}
steps:
  - name: each
    type: foreach
    items: ${range($.count)}
    concurrency: 10
    steps: [{name: double, service: s, action: double, input: $.item, output: done}]
    output: {done: $.done}
output: ${size($.done)}
"""

LARGE = """
name: large
input: {text: string}
services: {s: {adapter: shell, actions: {echo: {command: [cat], stdin: json}}}}
steps:
  - {name: echo, service: s, action: echo, input: {text: $.text}, output: echoed}
output: $.echoed
"""


class Workers:
    """Processes that work on a task queue, each of which may be killed and has another in its place."""

    def __init__(self, server: Server, queue: str, folder: Path) -> None:
        self._env = {
            **server.environment,
            "TEMPORAL_TASK_QUEUE": queue,
            "WFRUN_SANDBOX": str(folder),
            "PYTHONPATH": str(ROOT),
        }
        self.running = [self._start() for _ in range(2)]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "wfrun", "worker", "--drain", "5"]
        return subprocess.Popen(command, env=self._env, cwd=ORDER, stdout=subprocess.DEVNULL)

    def kill(self, number: int) -> None:
        self.running[number].kill()
        self.running[number].wait()
        self.running[number] = self._start()

    def end(self) -> list[int]:
        """What they exit with when they are told to stop."""
        for worker in self.running:
            worker.terminate()
        return [worker.wait(60) for worker in self.running]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()


@contextmanager
def engine_of(server: Server) -> Iterator[Engine]:
    engine = Engine(server)
    try:
        yield engine
    finally:
        engine.close()


def patiently(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Again and again, while nobody is there to answer: as whoever is told so would."""
    while True:
        try:
            return act(*args, **kwargs)
        except JournalError as error:
            if error.code != "temporal.no-worker":
                raise


@pytest.mark.slow
def test_each_effect_happens_once_whatever_workers_are_killed(server: Server, tmp_path: Path, tally: Tally) -> None:
    chance, kills = random.Random(seed()), size(3, 50)
    orders = [f"order-{number}" for number in range(size(10, 100))]
    input = parse_json((ORDER / "order.json").read_bytes(), "order.json")
    with engine_of(server) as engine, Workers(server, engine.queue, tmp_path) as workers:
        home = engine.home()

        def run(order: str) -> str:
            return patiently(driving.run, home, workflow=str(ORDER / "order.yaml"), input=input, execution=order).status

        with ThreadPoolExecutor(10) as people:
            ends = [people.submit(run, order) for order in orders]
            for _ in range(kills):
                time.sleep(chance.uniform(0.5, 3))
                workers.kill(chance.randrange(2))
            assert {end.result() for end in ends} == {"completed"}
        assert [each for each in prove(of_home(home, orders)) if not is_proved(each)] == []
        # One that has only just been begun has nothing to bring to an end yet, and ends as any process would.
        assert set(workers.end()) <= {0, -signal.SIGTERM}
    tally.add("F1", kills)
    each_effect_once(tmp_path / "order.sqlite", orders)


@pytest.mark.slow
def test_of_what_was_lost_with_its_worker_only_what_may_be_is_made_again(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "lost.yaml"
    file.write_text(LOST)
    with engine_of(server) as engine, Workers(server, engine.queue, tmp_path) as workers:
        home = engine.home()

        def begun() -> list[str]:
            records = patiently(Journal.read, home, "lost")
            return [record["step"] for record in records if record["type"] == "step.started"]

        with ThreadPoolExecutor(1) as people:
            run = people.submit(patiently, driving.run, engine.home(), workflow=str(file), execution="lost")
            soon(lambda: patiently(home.exists, "lost") and len(begun()) == 2)
            workers.kill(0)
            workers.kill(1)
            assert run.result().status == "waiting"
        again = patiently(answering.retry_now, home, "lost", "pay", by="kim")
        assert (again.status, sorted(begun())) == ("completed", ["note", "note", "pay", "pay"])
        assert [each for each in prove(of_home(home, ["lost"])) if not is_proved(each)] == []
        assert workers.end()


@pytest.mark.slow
def test_a_server_that_is_killed_has_lost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "parked.yaml"
    file.write_text(PARKED)
    with serving(tmp_path, tmp_path / "temporal.sqlite") as server, working(server) as engine:
        run = driving.run(engine.home(), workflow=str(file))
        known = Journal.read(engine.home(), run.execution)
        server.kill()
        server.start()
        assert patiently(Journal.read, engine.home(), run.execution) == known
        done = driving.decide(engine.home(), run.execution, decision="approved", by="ann", way=Way(wait=True))
        assert (done.status, done.view["output"]) == ("completed", "done")


@pytest.mark.slow
def test_who_looks_on_does_so_until_there_is_a_worker_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "napping.yaml"
    file.write_text("name: napping\nsteps:\n  - {name: nap, type: wait, for: 3s}\n")
    with engine_of(server) as engine, ThreadPoolExecutor(1) as people:
        looking = threading.Event()
        way = Way(observer=lambda execution, record, fresh: looking.set())
        with Workers(server, engine.queue, tmp_path):
            run = people.submit(driving.run, engine.home(), workflow=str(file), execution="napping", way=way)
            assert looking.wait(60)
            monkeypatch.setattr(client, "PATIENCE", timedelta(seconds=1))
        time.sleep(4)
        with Workers(server, engine.queue, tmp_path):
            assert run.result().status == "completed"


PEOPLE = ["ann", "bob", "cid", "dan"]


@pytest.mark.slow
def test_many_are_approved_from_four_processes_each_once(server: Server, tmp_path: Path) -> None:
    """All of them want to approve everything, in the same order."""
    file = tmp_path / "parked.yaml"
    file.write_text(PARKED)
    with working(server) as engine, ThreadPoolExecutor(4) as people:
        home = engine.home()

        def start(number: int) -> str:
            return patiently(driving.run, home, workflow=str(file), execution=f"parked-{number}").execution

        parked = list(people.map(start, range(size(20, 1_000))))
        soon(lambda: waiting_in(engine) >= {*parked})
        told = list(people.map(lambda person: told_to(person, engine, parked), PEOPLE))
        assert {code for each in told for code in each.values()} == {"mine", "task.closed"}
        for execution in parked:
            (vote,) = (each for each in Journal.read(home, execution) if each["type"] == "task.decided")
            assert [vote["by"]] == [who for who, each in zip(PEOPLE, told, strict=True) if each[execution] == "mine"]
            assert reading.status(home, execution)["output"] == "done"
        soon(lambda: not waiting_in(engine) & {*parked})


def told_to(person: str, engine: Engine, executions: list[str]) -> dict[str, str]:
    """What a process of that person's was told about each execution, having approved its task."""
    command = [sys.executable, "-m", "tests.support.approver", person]
    asked = "\n".join(executions)
    done = subprocess.run(
        command, env=engine.environment, cwd=ROOT, input=asked, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(line.split() for line in done.stdout.splitlines())


def waiting_in(engine: Engine) -> set[str]:
    return {task["execution"] for task in patiently(reading.tasks, engine.home(), "bosses")}


@pytest.mark.slow
def test_a_history_that_grows_too_long_is_begun_anew(tmp_path: Path) -> None:
    """Here the server suggests that after 200 events."""
    file, count = tmp_path / "many.yaml", size(200, 10_000)
    file.write_text(MANY)
    short = ["limit.historyCount.suggestContinueAsNew=200"] if count < 1_000 else []
    with serving(tmp_path, settings=short) as server, working(server) as engine:
        done = driving.run(engine.home(), workflow=str(file), input={"count": count})
        assert (done.status, done.view["output"]) == ("completed", count)
        begun = [each for each in Journal.read(engine.home(), done.execution) if each["type"] == "step.started"]
        assert {each["step"] for each in begun} == {f"double@{number}" for number in range(count)}
        # A worker that a busy machine has kept from giving signs of life is taken for gone, which the epoch tells.
        assert len({(each["step"], each["epoch"]) for each in begun}) == len(begun)

        async def runs() -> int:
            query = f"WorkflowId = '{done.execution}'"
            return len([each async for each in engine.namespace.client.list_workflows(query)])

        assert engine.ask(runs()) > 2


def test_what_is_too_large_for_a_history_stands_elsewhere(server: Server, tmp_path: Path) -> None:
    blobs = tmp_path / "blobs"
    large_result_through(blobs, server, tmp_path)
    assert sum(blob.stat().st_size for blob in blobs.iterdir()) > 1_500_000


def test_elsewhere_can_be_a_store_that_fsspec_knows(server: Server, tmp_path: Path) -> None:
    files = pytest.importorskip("fsspec", reason="fsspec is not installed").filesystem("memory")
    large_result_through("memory://blobs/of/orders", server, tmp_path)
    found = files.du("/blobs/of/orders", total=False)
    assert sum(found.values()) > 1_500_000
    name, size = max(found.items(), key=lambda blob: blob[1])
    files.pipe_file(name, b"x" * size)
    with pytest.raises(ValueError, match="not what was stored"):
        store_at("memory://blobs/of/orders").get(name.rpartition("/")[2])


def test_elsewhere_can_be_s3(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip install s3fs 'moto[s3]' flask flask-cors"""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="there is no S3 here: moto is not installed")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3 = moto.ThreadedMotoServer("127.0.0.1", 0)
    s3.start()
    try:
        host, port = s3.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        from fsspec.core import url_to_fs

        files = url_to_fs("s3://orders")[0]
        files.mkdir("orders")
        large_result_through("s3://orders/blobs", server, tmp_path)
        assert sum(files.du("orders/blobs", total=False).values()) > 1_500_000
    finally:
        s3.stop()


def test_a_store_of_an_unknown_kind_is_told() -> None:
    with pytest.raises(UsageError) as refused:
        store_at("nowhere://orders")
    assert refused.value.code == "temporal.blobs"


def large_result_through(blobs: Path | str, server: Server, folder: Path) -> None:
    file = folder / "large.yaml"
    file.write_text(LARGE)
    text = os.urandom(1_500_000).hex()  # 3 MB that cannot be made smaller than a history takes
    with working(server, blobs=blobs) as engine:
        done = driving.run(engine.home(), workflow=str(file), input={"text": text})
        assert done.status == "completed", done.view["error"]
        assert text in str(done.view["output"])


MADE = """
name: made
services: {s: {adapter: python, module: making}}
steps:
  - {name: make, service: s, action: make, output: made}
"""


def test_without_a_store_the_step_that_gives_too_much_fails(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "made.yaml"
    file.write_text(MADE)
    (tmp_path / "making.py").write_text("import os\n\n\ndef make(input):\n    return os.urandom(2_000_000).hex()\n")
    with working(server) as engine:
        done = driving.run(engine.home(), workflow=str(file))
        assert done.status == "failed"
        assert done.view["error"] is not None
        assert done.view["error"]["type"] == "temporal.too-large"


COUNTED = """
name: counted
services: {s: {adapter: python, module: counted}}
steps:
  - {name: make, service: s, action: make, output: made}
  - {name: use, service: s, action: use, input: $.made, output: used}
output: $.used
"""
COUNTED_SERVICE = """
import os

def make(input):
    with open(PLACE, "a") as file:
        file.write("made ")
    return os.urandom(400_000).hex()

def use(input):
    return len(input)
"""


@pytest.mark.parametrize("trouble", ["put", "get"])
def test_a_store_that_fails_for_a_while(trouble: str, server: Server, tmp_path: Path) -> None:
    """What a worker cannot put there, or get from there, is tried again: no call is made twice for that."""
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    from fsspec.implementations.memory import MemoryFileSystem

    class Flaky(MemoryFileSystem):  # type: ignore[misc]
        protocol = "flaky"
        store: dict[str, object] = {}  # noqa: RUF012 - as its parent has it
        pseudo_dirs = [""]  # noqa: RUF012
        left = 2

        def pipe_file(self, path: str, value: bytes, **more: object) -> None:
            self._trouble("put")
            super().pipe_file(path, value, **more)

        def cat_file(self, path: str, **more: object) -> bytes:
            self._trouble("get")
            return bytes(super().cat_file(path, **more))

        def _trouble(self, doing: str) -> None:
            if doing == trouble and Flaky.left:
                Flaky.left -= 1
                raise OSError("the store is not there")

    fsspec.register_implementation("flaky", Flaky, clobber=True)
    (tmp_path / "counted.py").write_text(COUNTED_SERVICE.replace("PLACE", repr(str(tmp_path / "made"))))
    file = tmp_path / "counted.yaml"
    file.write_text(COUNTED)
    with working(server, blobs="flaky://blobs") as engine:
        done = driving.run(engine.home(), workflow=str(file))
    assert (done.status, done.view["output"], Flaky.left) == ("completed", 800_000, 0)
    assert (tmp_path / "made").read_text() == "made "
