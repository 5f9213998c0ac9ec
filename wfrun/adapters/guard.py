"""What happens to a call's processes when the program that started them is killed: they are killed too.

A guard is a small shell that knows the process groups of the calls under way and reads from a pipe that only we hold
open. The kernel closes it when we die, in whatever way, and then the guard ends them all. Linux could tell a child of
its parent's death (PR_SET_PDEATHSIG), but only the child itself, not its own children, only by code that runs between
fork and exec, which is not safe where there are threads, and only as long as the *thread* that started it lives.

There is an instant between the start of a process and the guard's knowing of it.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress

_SCRIPT = """
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group ";;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }";;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
"""


class Guard:
    """Begins with the first group. Without a shell there is no guard, which a call can do without."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        if self._process is None:
            self._process = _start()
        self._tell(f"+ {group}\n")

    def remove(self, group: int) -> None:
        self._tell(f"- {group}\n")

    def _tell(self, line: str) -> None:
        if self._process and self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())

    def close(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()
        self._process = None


def _start() -> subprocess.Popen[bytes] | None:
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
