"""Files that the user names."""

from __future__ import annotations

from wfrun.errors import ConflictError, JournalError, NotFoundError
from wfrun.load.yaml import MAX_BYTES


def read_file(path: str, what: str) -> bytes:
    """The bytes of a file. Raises NotFoundError with the reason if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotFoundError("file.unreadable", f"cannot read {what} {path}: {reason}") from None


def write_new_file(path: str, data: bytes) -> None:
    """Raises ConflictError if there is one already: nothing is overwritten. JournalError if it cannot be written."""
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        raise ConflictError("file.exists", f"{path} is there already", hint="name another one") from None
    except OSError as error:
        raise JournalError("file.io", f"{path} cannot be written: {error.strerror or error}") from None
