"""A secret that every process of the tests has, and that must be in nothing that they leave behind.

Services use it as `${secret.WFRUN_CANARY}`. What commands say is searched at once, by the helpers that run them; every
file below pytest's temporary directory (journals, indexes, caches, bundles, records of calls) when the session ends.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from functools import cache
from json import dumps
from pathlib import Path
from urllib.parse import quote, quote_plus

NAME = "WFRUN_CANARY"
# With what is escaped in JSON, in URLs and by shells. In parts, so that no copy of this file is a find.
SECRET = "".join(("tweet/", '9"d+', "e f&", "7Zq=ü?", "1c5b"))
# A service that may know it and has to write it down leaves a file of this name.
EXEMPT = "known-to-the-service"
_CHUNK = 16 * 1024 * 1024


def install() -> None:
    os.environ[NAME] = SECRET


def finds(text: str | bytes) -> list[str]:
    """The forms of the secret that are in a text."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return sorted({found.decode() for found in _pattern().findall(content)})


def leaks(folder: Path) -> list[str]:
    """The files below a folder that have it, each with the form that was found."""
    return [f"{path}: {form}" for path in _files(folder) for form in _finds_in(path)]


def _files(folder: Path) -> Iterator[Path]:
    for at, _, names in os.walk(folder):
        yield from (Path(at, name) for name in names if name != EXEMPT)


def _finds_in(path: Path) -> list[str]:
    found: set[str] = set()
    if path.is_symlink() or not path.is_file():
        return []
    try:
        with path.open("rb") as file:
            tail = b""
            while chunk := file.read(_CHUNK):
                found.update(finds(tail + chunk))
                tail = chunk[-200:]
    except OSError:  # made unreadable by its test, or gone meanwhile
        return []
    return sorted(found)


@cache
def _pattern() -> re.Pattern[bytes]:
    return re.compile(b"|".join(re.escape(form.encode()) for form in sorted(_forms(), key=len, reverse=True)))


def _forms() -> set[str]:
    """Worked out here anew, lest what hides them and what looks for them have the same gaps."""
    plain = {SECRET, dumps(SECRET)[1:-1], dumps(SECRET, ensure_ascii=False)[1:-1], repr(SECRET)[1:-1]}
    urls = {quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET)}
    urls |= {re.sub("%..", lambda escape: escape[0].lower(), url) for url in urls}
    return plain | urls | {form for shift in range(3) for form in _base64(shift)}


def _base64(shift: int) -> Iterator[str]:
    """What stays the same of it whatever stands around: the middle, between what depends on the neighbours."""
    content = SECRET.encode()
    for encode in (b64encode, urlsafe_b64encode):
        runs = [encode(side * shift + content + side * 3).decode().rstrip("=") for side in (b"\0", b"\xff")]
        same = [one == other for one, other in zip(*runs, strict=True)]
        yield runs[0][same.index(True) : len(same) - same[::-1].index(True)]
