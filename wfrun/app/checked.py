"""Which definitions a home has already checked against the schema: a cache, safe to delete.

A mark is an empty file, named after the definition and the schema that it passed.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from wfrun.journal.home import Home
from wfrun.load.definition import shape_fingerprint


def is_checked(home: Home, source: bytes) -> bool:
    return home.find(_mark(home, source)) is not None


def mark_checked(home: Home, source: bytes) -> None:
    """Remember that these bytes passed. A cache that cannot be written is no reason to stop."""
    with suppress(OSError):
        home.ensure(_folder(home))
        home.files.close(home.files.create(_mark(home, source)))


def _folder(home: Home) -> str:
    return f"{home.path}/cache"


def _mark(home: Home, source: bytes) -> str:
    return f"{_folder(home)}/{sha256(source).hexdigest()}.{shape_fingerprint()[:16]}"
