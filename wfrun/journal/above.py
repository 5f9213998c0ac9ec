"""What a home is to be in."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfrun.journal.io import Files

# Why a directory above the home cannot be synced: it is somebody else's, or its file system never changes.
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.EROFS)


def make_above(files: Files, directory: str) -> None:
    """Makes a directory that a home is to be in, and its name durable with all above it. OSError.

    One that is there may have been made by somebody who died before its sync. It is too late for that once there is a
    home: then nobody looks above it any more.
    """
    parent = os.path.dirname(directory)
    if directory == parent:
        return
    make_above(files, parent)
    try:
        files.stat(directory)
    except FileNotFoundError:
        with suppress(FileExistsError):
            files.mkdir(directory)
    try:
        files.sync_directory(parent)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
