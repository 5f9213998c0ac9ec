"""One process per call, in a session and process group of its own, of which nothing is left when the call is over.

The group is ended as a whole: by TERM and, after a grace, KILL when the call is cancelled; by KILL when its leader has
ended and left others behind. The leader is reaped last: until then its number, which is the group's, cannot be given
to a stranger.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from wfrun.adapters.fence import Held, end_left, forget, held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wfrun.adapters.guard import Guard

GRACE = 2.0
DRAIN = 0.5
STDERR_TAIL = 8 * 1024
_CHUNK = 64 * 1024
_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Finished:
    """`code` is the exit code, or the negative number of the signal. `errors` is the end of standard error."""

    code: int
    output: bytes
    overflow: bool
    errors: str

    @property
    def ending(self) -> str:
        """`exit-3` or `signal-SIGKILL`."""
        if self.code >= 0:
            return f"exit-{self.code}"
        try:
            return f"signal-{signal.Signals(-self.code).name}"
        except ValueError:
            return f"signal-{-self.code}"


async def run_process(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes | None,
    limit: int,
    guard: Guard,
    on_line: Callable[[], None],
    lock: str | None,
) -> Finished:
    """Runs a command to its end. Raises OSError if it cannot be started.

    A process that writes more than `limit` bytes to standard output is killed; `overflow` says so. `on_line` is called
    whenever it has ended lines on one of its outputs. Unless it succeeds, whatever holds the `lock` is ended with it.
    """
    with _input(stdin) as source, held(lock) as inherited:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=inherited,
        )
    try:
        finished = await _until_ended(process, limit, guard, on_line)
        if finished.code == 0 and not finished.overflow:
            forget(lock)
        return finished
    finally:
        with suppress(Held):
            await end_left(lock)


async def _until_ended(
    process: subprocess.Popen[bytes], limit: int, guard: Guard, on_line: Callable[[], None]
) -> Finished:
    guard.add(process.pid)
    output, errors = _Output(process, on_line, limit), _Tail(process, on_line, 2 * STDERR_TAIL)
    try:
        await _exited(process.pid)
        # Those whom the leader left behind may still be writing what belongs to the output.
        await asyncio.wait([output.ended, errors.ended], timeout=DRAIN)
    finally:
        try:
            await _end(process)
        finally:
            guard.remove(process.pid)
            output.close()
            errors.close()
    return Finished(process.returncode, bytes(output.content), output.overflow, errors.text())


@contextmanager
def _input(content: bytes | None) -> Iterator[int | BinaryIO]:
    """Standard input as an unnamed file, not a pipe: nobody has to feed it, and it cannot break."""
    if content is None:
        yield subprocess.DEVNULL
        return
    with _unnamed_file() as file:
        file.write(content)
        file.seek(0)
        yield file


def _unnamed_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("stdin"), "w+b", buffering=0)
    from tempfile import TemporaryFile

    return TemporaryFile(buffering=0)


async def _exited(pid: int) -> None:
    """Until a child has ended. It is not reaped."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or one before 5.3
        while _running(pid):  # noqa: ASYNC110 - there is nothing that could set an event
            await asyncio.sleep(_POLL)
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _running(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None


async def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the group and reaps its leader, however often the caller is cancelled meanwhile."""
    try:
        if _running(process.pid):
            _signal(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(_exited(process.pid), GRACE)
    finally:
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class _Pipe:
    """Reads one of a process's outputs as it comes. `ended` is done when nobody can write to it any more."""

    def __init__(self, file: IO[bytes] | None, on_line: Callable[[], None]) -> None:
        assert file is not None
        self._file = file
        self._on_line = on_line
        self._loop = asyncio.get_running_loop()
        self.content = bytearray()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        os.set_blocking(file.fileno(), False)
        self._loop.add_reader(file.fileno(), self._ready)

    def _ready(self) -> None:
        try:
            chunk = os.read(self._file.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if chunk:
            if b"\n" in chunk:
                self._on_line()
            self.take(chunk)
        else:
            self.close()

    def take(self, chunk: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if not self._file.closed:
            self._loop.remove_reader(self._file.fileno())
            self._file.close()
        if not self.ended.done():
            self.ended.set_result(None)


class _Output(_Pipe):
    """Standard output: kept whole, up to a limit that ends the process."""

    def __init__(self, process: subprocess.Popen[bytes], on_line: Callable[[], None], limit: int) -> None:
        super().__init__(process.stdout, on_line)
        self._group = process.pid
        self._limit = limit
        self.overflow = False

    def take(self, chunk: bytes) -> None:
        if not self.overflow:
            self.content += chunk
        if len(self.content) > self._limit:
            self.overflow = True
            self.content.clear()
            _signal(self._group, signal.SIGKILL)


class _Tail(_Pipe):
    """Standard error: only its end is kept."""

    def __init__(self, process: subprocess.Popen[bytes], on_line: Callable[[], None], keep: int) -> None:
        super().__init__(process.stderr, on_line)
        self._keep = keep

    def take(self, chunk: bytes) -> None:
        self.content += chunk
        del self.content[: -self._keep]

    def text(self) -> str:
        """At most STDERR_TAIL bytes of whole lines: half a line could begin with half a secret."""
        tail = bytes(self.content[-STDERR_TAIL:])
        if len(self.content) > STDERR_TAIL:
            tail = tail.partition(b"\n")[2]
        return tail.decode(errors="replace")
