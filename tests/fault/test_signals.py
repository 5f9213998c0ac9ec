"""F13: signals at random moments, and ^C twice. What was running can be resumed, and no process is left."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pexpect
import pytest

from tests.support.ledger import Ledger
from tests.support.shell import ROOT, environment
from tests.support.tally import Tally, seed, size
from tests.support.zygote import Zygote

# Each command has a child, and another one that has left its session; one that comes to its end takes both with it.
SLEEP = "sleep 3600 & one=$!; setsid sleep 3600 & sleep $0; kill $one $!"
WORKFLOW = f"""
name: noisy
services:
  s: {{ adapter: python, module: ledger }}
  sh: {{ adapter: shell, actions: {{ sleep: {{ command: [sh, -c, "{SLEEP}", "0.08"] }} }} }}
steps:
  - {{ name: a, service: s, action: note }}
  - {{ name: sleep, service: sh, action: sleep }}
  - {{ name: b, service: s, action: note }}
  - {{ name: nap, service: sh, action: sleep }}
  - {{ name: c, service: s, action: note }}
"""
NOTED = ["a", "b", "c"]
LONGEST_S = 0.35
# A place in a room of wfrun, as tracebacks name it. While Python itself begins, nobody can keep it from its own.
INSIDES = re.compile(rb"wfrun/\w+/\w+\.py|Exception ignored")
SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE]


def processes(mark: str) -> list[int]:
    """Those that carry a mark in their environment, and are no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"MARK={mark}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def nobody_is_left(mark: str) -> bool:
    """Within the time that those who ignore TERM are given."""
    deadline = time.monotonic() + 5
    while processes(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger() as ledger:
        (tmp_path / "ledger.py").write_text(ledger.module)
        (tmp_path / "noisy.yaml").write_text(WORKFLOW)
        yield ledger


def in_order(ledger: Ledger, id: str) -> list[str]:
    """The steps that were noted; one that was repeated at once, as nobody knew its answer, counts once."""
    keys = [call.key for call in ledger.calls() if call.key.startswith(f"{id}/")]
    return [key.removeprefix(f"{id}/") for key, _ in groupby(keys)]


@pytest.mark.slow
def test_a_signal_at_any_moment(tmp_path: Path, ledger: Ledger, tally: Tally) -> None:
    chance = random.Random(seed())
    codes: dict[int, int] = {}
    with Zygote(tmp_path, {"PYTHONPATH": str(ROOT), "WFRUN_HOME": str(tmp_path / "home")}) as zygote:
        for number in range(size(100, 1_000)):
            id, mark = f"e{number}", f"{tmp_path}-{number}."
            start = ["run", "noisy.yaml", "--id", id]
            kind = SIGNALS[number % len(SIGNALS)]
            ended = zygote.run(*start, kill_after=chance.uniform(0.01, LONGEST_S), signal=kind, MARK=mark)
            tally.add("F13")
            codes[ended.code] = codes.get(ended.code, 0) + 1
            assert "Traceback" not in ended.output, ended.output
            assert ended.code in (0, 130, -kind), ended
            # Whom a signal has ended before it could be heard leaves it to the next one to end what got away.
            assert ended.code < 0 or nobody_is_left(mark)
            assert zygote.run(*start).code == 0
            assert nobody_is_left(mark)
            assert in_order(ledger, id) == NOTED
    assert codes[130] > sum(codes.values()) // 4, codes


@pytest.mark.slow
def test_ctrl_c_twice(tmp_path: Path, ledger: Ledger, tally: Tally) -> None:
    chance = random.Random(seed())
    for number in range(size(3, 30)):
        id, mark = f"e{number}", f"{tmp_path}-{number}."
        arguments = ["-m", "wfrun", "run", "noisy.yaml", "--id", id]
        own = environment(MARK=mark)
        child = pexpect.spawn(
            sys.executable, arguments, cwd=str(tmp_path), env=own, encoding="utf-8", timeout=30, use_poll=True
        )
        child.expect("noisy")
        time.sleep(chance.uniform(0, LONGEST_S))
        for _ in range(2):
            child.sendintr()
            time.sleep(chance.uniform(0, 0.05))
        child.expect(pexpect.EOF)
        child.close()
        tally.add("F13")
        assert "Traceback" not in str(child.before)
        assert child.exitstatus in (0, 130) or child.signalstatus == signal.SIGINT
        with Zygote(tmp_path, {"PYTHONPATH": str(ROOT)}) as zygote:
            assert zygote.run("run", "noisy.yaml", "--id", id).code == 0
        assert nobody_is_left(mark)
        assert in_order(ledger, id) == NOTED


@pytest.mark.slow
def test_ctrl_c_while_it_begins(tmp_path: Path, ledger: Ledger, tally: Tally) -> None:
    """Whether it is importing, reading or about to call: it says nothing of its insides, and can be begun again."""
    chance = random.Random(seed())
    own = environment(MARK=f"{tmp_path}.")
    for number in range(size(25, 250)):
        line = [sys.executable, "-m", "wfrun", "run", "noisy.yaml", "--id", f"e{number}"]
        child = subprocess.Popen(line, cwd=tmp_path, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(chance.uniform(0, LONGEST_S))
        child.send_signal(signal.SIGINT)
        said, _ = child.communicate(timeout=30)
        tally.add("F13")
        assert child.returncode in (0, 1, 130, -signal.SIGINT)
        assert not INSIDES.search(said), said.decode()


def test_a_process_that_is_left_is_seen(tmp_path: Path) -> None:
    """The positive control: a daemon with the mark is found, and gone when it is ended."""
    mark = f"{tmp_path}."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARK", mark)
        daemon = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "60")
    deadline = time.monotonic() + 5
    while processes(mark) != [daemon]:
        assert time.monotonic() < deadline
    os.kill(daemon, signal.SIGKILL)
    os.waitpid(daemon, 0)
    assert nobody_is_left(mark)
