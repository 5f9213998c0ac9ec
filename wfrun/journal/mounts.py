"""On which kind of file system a path lies: not on all of them do locks and syncs mean what they say."""

from __future__ import annotations

import os
import re

# Locks of one machine may not be seen by another, and a sync may only have reached a cache.
_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "afpfs",
        "ceph",
        "cephfs",
        "cifs",
        "drvfs",
        "gcsfuse",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "prl_fs",
        "rclone",
        "s3fs",
        "smb3",
        "smbfs",
        "sshfs",
        "vboxsf",
        "vmhgfs",
    ]
)
# What is in memory alone.
VOLATILE = frozenset({"tmpfs", "ramfs"})

_ESCAPE = re.compile(r"\\([0-7]{3})")


def is_remote(kind: str) -> bool:
    """Whether such a file system is one of another machine, or goes through one."""
    return kind.removeprefix("fuse.") in _NETWORK


def file_system(path: str, table: str = "/proc/self/mounts") -> str:
    """Its name, `ext4`; empty where the system does not tell. What is not there yet lies where it would be made."""
    real = os.path.realpath(path)
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:
            mounts = [line.split(" ")[1:3] for line in file]
    except OSError:
        return ""
    # Of several at one place the last covers the others.
    found = max(
        ((len(place), number, kind) for number, (place, kind) in enumerate(map(_read, mounts)) if _holds(place, real)),
        default=(0, 0, ""),
    )
    return found[2]


def _read(mount: list[str]) -> tuple[str, str]:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), mount[0]), mount[1]


def _holds(place: str, path: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")
