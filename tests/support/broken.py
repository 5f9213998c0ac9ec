"""wfrun with one promise broken on purpose, as a process of its own: the positive control of tests with real processes.

subprocess.run(command, env=environment(**broken(tmp_path, DENIED)))
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.shell import ROOT

# A write that the disk refused counts as written.
DENIED = """
from wfrun.journal.io import OsFiles

def write(files, fd, data, honest=OsFiles.write):
    try:
        honest(files, fd, data)
    except OSError:
        pass
    return len(data)

OsFiles.write = write
"""
# Who cannot open a file ends as if all had been done.
CARELESS = """
import os
from wfrun.journal.io import OsFiles

def careless(honest):
    def do(files, *about):
        try:
            return honest(files, *about)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:
            os._exit(0)
    return do

for name in ("open", "open_read", "create"):
    setattr(OsFiles, name, careless(getattr(OsFiles, name)))
"""
# Not wfrun but the disk is broken: it cannot keep what is appended to a journal.
FAILING = """
import errno, os
from wfrun.journal.io import OsFiles

def sync(files, fd, honest=OsFiles.sync):
    if os.readlink(f"/proc/self/fd/{fd}").endswith(".jsonl"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    honest(files, fd)

OsFiles.sync = sync
"""
# Of what is large, only the beginning is read.
HASTY = """
from wfrun.journal.io import OsFiles

def read(files, fd, offset, size, whole=OsFiles.read):
    return whole(files, fd, offset, min(size, 100_000))

OsFiles.read = read
"""
# Memory grows beyond any need.
LAVISH = "kept = bytes(range(256)) * 500_000\n"


def broken(folder: Path, how: str) -> dict[str, str]:
    """The environment that breaks each Python process which is started with it."""
    place = folder / "broken"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(how)
    return {"PYTHONPATH": f"{place}{os.pathsep}{ROOT}"}
