"""The commands of wfrun as a user types them: in a shell, in a folder, with nothing of this machine around them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SECONDS = 120


class Answer(NamedTuple):
    """`out` is standard output and standard error as one, in the order in which they were written."""

    code: int
    out: str


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would steer wfrun; with this interpreter's commands first, and Maria at the keyboard."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("WFRUN_", "_WFRUN", "PYTEST"))}
    commands = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    return {**own, "PATH": commands, "PYTHONPATH": str(ROOT), "LOGNAME": "maria", **more}


def shell(line: str, folder: Path, **more: str) -> Answer:
    """Runs `line` with sh in `folder`; `more` is added to the environment. Ends it after SECONDS."""
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    # A shell that has become the command ends by its signal; seen from a shell that is 128 and its number.
    return Answer(done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stdout)
