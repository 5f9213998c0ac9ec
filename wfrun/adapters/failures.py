"""What an exception means for a call, whoever raised it: our own cancelling, the machine's trouble, or the step's."""

from __future__ import annotations

import errno
import os

_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS)
_MOST = 50


def is_stop(error: BaseException) -> bool:
    """Whether this is the cancellation of the call itself. Somebody's code can raise CancelledError, too."""
    from asyncio import CancelledError, current_task

    if not isinstance(error, CancelledError):
        return False
    task = current_task()
    return task is not None and task.cancelling() > 0


def words(error: BaseException) -> str:
    """The message of an exception; nothing if there is none, or if it cannot even say what it is."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - it is somebody's code that says what their error is
        return ""


def shortage(error: BaseException) -> str | None:
    """What the machine ran out of, such as `Too many open files`, if that is behind an error; None if it is not.

    A step is not to blame for it: a later attempt can succeed.
    """
    return next((found for each in _behind(error) if (found := _shortage(each))), None)


def _shortage(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in _SHORTAGES:
        return os.strerror(error.errno)
    if isinstance(error, ImportError):
        # The loader of compiled modules tells no number, only words.
        return next((text for text in map(os.strerror, _SHORTAGES) if text in words(error)), None)
    return None


def _behind(error: BaseException) -> list[BaseException]:
    """The error, those that led to it, and those that are its parts."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(found) < _MOST:
        each = waiting.pop()
        if each is not None and not any(each is one for one in found):
            found.append(each)
            waiting += [*getattr(each, "exceptions", ()), each.__context__, each.__cause__]
    return found
