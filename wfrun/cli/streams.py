"""Standard input, output and error as wfrun uses them: who writes where, and what happens when it cannot be written.

A command that looks has failed if nobody can take what it says: OutputError, or ReaderLeft if the reader went away. A
command that drives has not: its execution goes on, and its exit code tells of that. So before anything is driven such a
command calls `reserve`, and what it writes from then on is lost where it cannot be written.

Services run in this process, and they and their children write to descriptor 1, too. `reserve` keeps a copy of it for
wfrun alone and turns the descriptor itself to standard error, for the rest of the process: a thread that outlives its
timeout may still print when the outcome is being written.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from wfrun.errors import WfrunError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class OutputError(WfrunError):
    """Standard output cannot be written. The exit code is EX_IOERR of sysexits.h."""

    exit_code = 74

    def __init__(self, error: OSError) -> None:
        super().__init__("output.io", f"standard output cannot be written: {error.strerror or error}")


class ReaderLeft(Exception):
    """Whoever read standard output has enough of it. Nothing to talk about."""


class Heedless(io.FileIO):
    """A descriptor for writing that takes everything. What it cannot write is lost; `failure` is the first reason."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """The number of bytes taken; after a failure, of all of them."""
        if self.failure is None:
            try:
                return self._write_when_ready(data)
            except OSError as error:
                self.failure = error
        return memoryview(data).nbytes

    def _write_when_ready(self, data: ReadableBuffer) -> int:
        # Whoever else has the terminal or pipe open may have made it non-blocking: then None says that it is full.
        while (count := super().write(data)) is None:
            from select import POLLOUT, poll

            ready = poll()
            ready.register(self, POLLOUT)
            ready.poll()
        return count


class Strict(Heedless):
    """The same, but the first failure is raised, as ReaderLeft or OutputError. What is still buffered is lost then."""

    def write(self, data: ReadableBuffer, /) -> int:
        before = self.failure
        count = super().write(data)
        if self.failure is None or self.failure is before:
            return count
        if self.failure.errno == errno.EPIPE:
            raise ReaderLeft
        raise OutputError(self.failure)


_kept: Heedless | None = None
_reserved: TextIO | None = None


def set_up() -> None:
    """Make the three streams what the top of this file says: once, at the start of the process."""
    # One that is not open is opened so that using it fails, or the next file that is opened would be taken for it.
    # Standard error is for remarks, which may vanish.
    for descriptor, stream, mode in (
        (_STDIN, sys.stdin, os.O_WRONLY),
        (_STDOUT, sys.stdout, os.O_RDONLY),
        (_STDERR, sys.stderr, os.O_WRONLY),
    ):
        if stream is None:
            _occupy(descriptor, mode)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(_STDIN, closefd=False)))
    sys.stdout = _text(Strict(_STDOUT, "w", closefd=False), sys.stdout)
    sys.stderr = _text(Heedless(_STDERR, "w", closefd=False), sys.stderr)


def reserve() -> None:
    """From now on standard output is ours alone, and what cannot be written to it is lost."""
    global _kept, _reserved
    sys.stdout.flush()
    _kept = Heedless(os.dup(_STDOUT), "w")
    _reserved = _text(_kept, sys.stdout)
    os.dup2(_STDERR, _STDOUT)
    sys.stdout = _text(Heedless(_STDERR, "w", closefd=False), sys.stderr)


def ours() -> TextIO:
    """Where wfrun's own output goes."""
    return _reserved or sys.stdout


def loss() -> OutputError | None:
    """Why output was lost since `reserve`. None if nothing was, or only because the reader went away."""
    failure = _kept.failure if _kept else None
    return OutputError(failure) if failure and failure.errno != errno.EPIPE else None


def _occupy(descriptor: int, mode: int) -> None:
    null = os.open(os.devnull, mode)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
    os.set_inheritable(descriptor, True)


def _text(raw: Heedless, like: TextIO | None) -> TextIO:
    """Text to a descriptor, encoded and buffered as in another stream. What cannot be encoded becomes `?`."""
    encoding = like.encoding if like else None
    at_once = bool(like and (like.line_buffering or getattr(like, "write_through", False)))
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="replace", line_buffering=at_once)
