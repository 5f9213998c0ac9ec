"""Descriptors that fail, and whose standard output is."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from threading import Timer

import pytest

from wfrun.cli.streams import Heedless, OutputError, ReaderLeft, Strict

FULL = "/dev/full"


def closed_pipe() -> int:
    read, write = os.pipe()
    os.close(read)
    return write


def test_what_a_heedless_descriptor_cannot_write_is_lost() -> None:
    raw = Heedless(FULL, "w")
    with io.TextIOWrapper(io.BufferedWriter(raw), line_buffering=True) as stream:
        for _ in range(3):
            print("lost", file=stream)
    assert raw.failure is not None
    assert raw.failure.errno == errno.ENOSPC


def test_after_a_failure_nothing_more_is_written() -> None:
    """What comes later would make no sense without what is missing."""
    read, write = os.pipe()
    with Heedless(write, "w") as raw:
        raw.failure = OSError(errno.ENOSPC, "full")
        assert raw.write(b"later") == 5
    with open(read, "rb") as pipe:
        assert pipe.read() == b""


def test_a_strict_descriptor_tells_the_first_failure_only() -> None:
    raw = Strict(FULL, "w")
    stream = io.TextIOWrapper(io.BufferedWriter(raw))
    stream.write("x")
    with pytest.raises(OutputError, match="No space left on device") as told:
        stream.flush()
    assert told.value.exit_code == 74
    stream.write("y")
    stream.close()


def test_a_reader_that_left_is_told_apart() -> None:
    with Strict(closed_pipe(), "w") as raw, pytest.raises(ReaderLeft):
        raw.write(b"x")


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    text = b"x" * 200_000  # more than a pipe holds
    taken = bytearray()

    def take() -> None:
        while len(taken) < len(text):
            taken.extend(os.read(read, 65536))

    taking = Timer(0.05, take)
    taking.start()
    with io.BufferedWriter(Strict(write, "w")) as stream:
        stream.write(text)
    taking.join()
    os.close(read)
    assert bytes(taken) == text


def python(code: str, redirections: str) -> subprocess.CompletedProcess[str]:
    """Run code after `set_up` in a shell that redirects."""
    program = f"import os, subprocess, sys\nfrom wfrun.cli import streams\nstreams.set_up()\n{code}"
    command = ["sh", "-c", f'exec "$0" -c "$1" {redirections}', sys.executable, program]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_what_is_reserved_is_reached_by_nobody_else() -> None:
    code = (
        "streams.reserve()\nprint('a')\nos.write(1, b'b')\nsubprocess.run(['echo', 'c'])\nos.close(1)\nprint('d')\n"
        "print('ours', file=streams.ours(), flush=True)\nassert streams.loss() is None"
    )
    done = python(code, "")
    assert (done.returncode, done.stdout) == (0, "ours\n")
    assert sorted(done.stderr.split()) == ["a", "bc", "d"]


def test_streams_that_are_not_open_are_not_taken_for_files() -> None:
    code = (
        "fd = os.open(os.devnull, os.O_RDONLY)\nassert fd > 2, fd\nprint('remark', file=sys.stderr)\n"
        "subprocess.run(['true'], check=True)\n"
        "try:\n    print('x', flush=True)\nexcept streams.OutputError:\n    pass\nelse:\n    sys.exit(1)\n"
        "try:\n    sys.stdin.read()\nexcept OSError:\n    sys.exit(7)\n"
    )
    assert python(code, "<&- >&- 2>&-").returncode == 7


@pytest.mark.parametrize(("redirection", "words"), [(">/dev/full", "No space left"), (">&-", "Bad file descriptor")])
def test_a_loss_is_told(redirection: str, words: str) -> None:
    code = "streams.reserve()\nprint('x', file=streams.ours(), flush=True)\nsys.exit(streams.loss().message)"
    assert words in python(code, redirection).stderr


def test_characters_that_cannot_be_encoded_are_replaced() -> None:
    done = python("print('caf\\u00e9 \\udcff')", "")
    assert (done.returncode, done.stdout) == (0, "café ?\n")
