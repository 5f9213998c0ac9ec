"""Files that are named after what they hold: written once, durable before anybody refers to them, checked when read."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from wfrun.errors import StateError
from wfrun.journal.io import FILE_MODE

if TYPE_CHECKING:
    from wfrun.journal.home import Home


def write_once(home: Home, path: str, data: bytes) -> bool:
    """Puts these bytes at a path of the home, durably. Returns whether that was still to be done. OSError."""
    directory = os.path.dirname(path)
    home.ensure(directory)
    with home.locked(directory):
        if _has(home, path, data):
            return False
        home.files.close(home.replace(path, data))
    return True


def _has(home: Home, path: str, data: bytes) -> bool:
    """Whether the file holds these bytes durably: they were synced before it was named, its name maybe not.

    Setting its mode tells whoever removes what nobody needs that somebody does: the time of that changes with it.
    """
    if home.read_file(path) != data:
        return False
    fd = home.files.open(path)
    try:
        home.files.set_mode(fd, FILE_MODE)
    finally:
        home.files.close(fd)
    home.sync_names(os.path.dirname(path))
    return True


def read_exact(home: Home, path: str, digest: str, kind: str) -> bytes:
    """The bytes at a path, which have this SHA-256. StateError `<kind>.unknown`, `<kind>.damaged`."""
    data = home.read_file(path)
    if data is None:
        hint = "restore the file from a backup: a journal of this state directory names it"
        raise StateError(f"{kind}.unknown", f"there is no {kind} {path}", hint=hint)
    if sha256(data).hexdigest() != digest:
        hint = "restore the file from a backup; its name is the SHA-256 of what it held"
        raise StateError(f"{kind}.damaged", f"{path} is not what was stored", hint=hint)
    return data
