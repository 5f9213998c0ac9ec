"""Files that the user names."""

from __future__ import annotations

from wfrun.errors import NotFoundError
from wfrun.load.yaml import MAX_BYTES


def read_file(path: str, what: str) -> bytes:
    """The bytes of a file. Raises NotFoundError with the reason if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotFoundError("file.unreadable", f"cannot read {what} {path}: {reason}") from None
