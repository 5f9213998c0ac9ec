"""The lock that the processes of an attempt hold."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.adapters.support import alive
from wfrun.adapters import fence


@pytest.fixture
def lock(tmp_path: Path) -> str:
    return str(tmp_path / "running" / "e1.abc")


READY = "import os, signal, time; ready = lambda: print(flush=True); "


def holder(lock: str, code: str = "ready(); time.sleep(60)") -> subprocess.Popen[bytes]:
    """A process in a session of its own, that has inherited the lock and says that it is ready."""
    with fence.held(lock) as inherited:
        process = subprocess.Popen(
            [sys.executable, "-c", READY + code], pass_fds=inherited, start_new_session=True, stdout=subprocess.PIPE
        )
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    return process


def test_whoever_holds_it_is_told_to_end(lock: str) -> None:
    process = holder(lock)
    asyncio.run(fence.end_left(lock))
    assert process.wait(5) == -signal.SIGTERM
    assert not os.path.exists(lock)


def test_whoever_does_not_end_is_killed(lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "GRACE_S", 0.2)
    process = holder(lock, "signal.signal(signal.SIGTERM, signal.SIG_IGN); ready(); time.sleep(60)")
    asyncio.run(fence.end_left(lock))
    assert process.wait(5) == -signal.SIGKILL


def test_children_that_are_born_meanwhile_are_ended(lock: str) -> None:
    code = """
def on(*_):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(60)
signal.signal(signal.SIGTERM, on); ready(); time.sleep(60)
"""
    process = holder(lock, f"exec({code!r})")
    asyncio.run(fence.end_left(lock))
    assert process.wait(5) in (-signal.SIGTERM, -signal.SIGKILL)
    assert not os.path.exists(lock)


def test_a_stranger_is_left_alone(lock: str) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    process = holder(lock)
    asyncio.run(fence.end_left(lock))
    process.wait(5)
    assert alive(stranger.pid)
    stranger.kill()
    stranger.wait()


def test_those_who_cannot_be_found_are_waited_for(lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there is no /proc."""
    monkeypatch.setattr(fence, "_holders", lambda path: iter(()))
    process = holder(lock, "ready(); time.sleep(0.5)")
    asyncio.run(fence.end_left(lock))
    assert process.wait(5) == 0


def test_those_who_cannot_be_ended_are_named(lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "GRACE_S", 0.1)
    monkeypatch.setattr(fence, "PATIENCE_S", 0.1)
    monkeypatch.setattr(fence, "_send", lambda process, number, path: None)
    process = holder(lock)
    with pytest.raises(fence.Held) as caught:
        asyncio.run(fence.end_left(lock))
    assert caught.value.processes == [process.pid]
    with pytest.raises(BlockingIOError), fence.held(lock):
        pass
    process.kill()
    process.wait()


def test_without_anybody_there_is_nothing_to_do(lock: str) -> None:
    asyncio.run(fence.end_left(lock))
    asyncio.run(fence.end_left(None))
    with fence.held(None) as inherited:
        assert inherited == ()


def test_a_link_is_no_lock(lock: str, tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    (tmp_path / "target").write_text("kept")
    os.symlink(tmp_path / "target", lock)
    with pytest.raises(OSError, match="symbolic links"), fence.held(lock):
        pass
