"""The one door to the disk: journals, definitions and deployments are read and written through `Files` only.

It is this small so that every call can be made to fail in a test, and so that a disk in memory (`memory.MemoryFiles`)
can stand in for the real one and lose power. Every method raises `OSError`; turning that into words for people is the
caller's business, who knows what the file was for. Paths are plain text, descriptors plain integers.
"""

from __future__ import annotations

import fcntl
import os
import stat as modes
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700


class Stat(NamedTuple):
    """What stands behind a path, links not followed. `inode` is unique on the machine, `size` is in bytes."""

    inode: tuple[int, int]
    kind: Literal["file", "directory", "other"]
    size: int
    mode: int
    owner: int


class Files(Protocol):
    """A disk. Symbolic links are never followed in the last part of a path."""

    def open(self, path: str) -> int:
        """An existing file, to read and to append."""

    def open_read(self, path: str) -> int:
        """An existing file or directory, to read, to lock or to name its file system."""

    def create(self, path: str, mode: int = FILE_MODE) -> int:
        """A new file, to read and to append; FileExistsError if anything has that name."""

    def read(self, fd: int, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`; fewer only where the file ends."""

    def write(self, fd: int, data: bytes) -> int:
        """One write at the end of the file; the number of bytes that it took."""

    def sync(self, fd: int) -> None:
        """The file's bytes are on the disk, its name not necessarily."""

    def sync_directory(self, path: str) -> None:
        """The names in a directory are on the disk."""

    def sync_filesystem(self, fd: int) -> None:
        """Every byte and name of the file system on which `fd` lies is on the disk."""

    def can_sync_filesystem(self) -> bool:
        """Whether `sync_filesystem` exists here and reports what could not be written."""

    def stat(self, path: str) -> Stat: ...

    def extent(self, fd: int) -> tuple[int, int]:
        """Size and mode of an open file, whatever its path names by now."""

    def set_mode(self, fd: int, mode: int) -> None: ...

    def lock(self, fd: int) -> None:
        """The exclusive lock of an open file, shared with nobody who opened it separately; waits. Ends with `close`."""

    def try_lock(self, fd: int) -> bool:
        """The same lock without waiting: whether it was got."""

    def unlock(self, fd: int) -> None: ...

    def mkdir(self, path: str) -> None: ...

    def list(self, path: str) -> list[str]:
        """Names in a directory, in no order."""

    def rename(self, source: str, target: str) -> None:
        """Atomically, over what was there."""

    def remove(self, path: str) -> None: ...

    def close(self, fd: int) -> None: ...


class OsFiles:
    """The disk of the operating system."""

    _FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_APPEND | self._FLAGS)

    def open_read(self, path: str) -> int:
        # O_NONBLOCK: a named pipe put in the place of a file must not make a reader hang.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | self._FLAGS)

    def create(self, path: str, mode: int = FILE_MODE) -> int:
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | self._FLAGS, mode)

    def read(self, fd: int, offset: int, size: int) -> bytes:
        data = os.pread(fd, size, offset)
        if len(data) in (0, size):
            return data
        parts = [data]
        while data := os.pread(fd, size - sum(map(len, parts)), offset + sum(map(len, parts))):
            parts.append(data)
        return b"".join(parts)

    def write(self, fd: int, data: bytes) -> int:
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        os.fdatasync(fd)

    def sync_directory(self, path: str) -> None:
        # fsync, for ext4 does not count a new name as data that fdatasync would have to write.
        fd = self.open_read(path)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def sync_filesystem(self, fd: int) -> None:
        import ctypes

        if _syncfs()(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def can_sync_filesystem(self) -> bool:
        """Before Linux 5.8, syncfs(2) did not report what could not be written."""
        system = os.uname()
        if system.sysname != "Linux":
            return False
        major, minor = system.release.split(".")[:2]
        return (int(major), int(minor.partition("-")[0])) >= (5, 8) and _syncfs() is not None

    def stat(self, path: str) -> Stat:
        return _stat(os.lstat(path))

    def extent(self, fd: int) -> tuple[int, int]:
        found = os.fstat(fd)
        return found.st_size, modes.S_IMODE(found.st_mode)

    def set_mode(self, fd: int, mode: int) -> None:
        os.fchmod(fd, mode)

    def lock(self, fd: int) -> None:
        # flock, not lockf: a POSIX lock is lost as soon as the process closes any descriptor of the file.
        fcntl.flock(fd, fcntl.LOCK_EX)

    def try_lock(self, fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self, fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)

    def mkdir(self, path: str) -> None:
        os.mkdir(path, DIRECTORY_MODE)

    def list(self, path: str) -> list[str]:
        return os.listdir(path)

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def remove(self, path: str) -> None:
        os.unlink(path)

    def close(self, fd: int) -> None:
        os.close(fd)


_KINDS: dict[int, Literal["file", "directory", "other"]] = {modes.S_IFREG: "file", modes.S_IFDIR: "directory"}


def _stat(found: os.stat_result) -> Stat:
    kind = _KINDS.get(modes.S_IFMT(found.st_mode), "other")
    return Stat((found.st_dev, found.st_ino), kind, found.st_size, modes.S_IMODE(found.st_mode), found.st_uid)


@cache
def _syncfs() -> Any:
    import ctypes

    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
