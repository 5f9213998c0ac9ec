"""One piece of advice before it has its place in the file, and whether anybody wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wfrun.core.definition import Document, Path
from wfrun.errors import Problem


class Advice(NamedTuple):
    """`path` is where the advice belongs; `key`: to the key there rather than to its value."""

    code: str
    path: Path
    message: str
    hint: str
    key: bool = False

    def problem(self, document: Document) -> Problem:
        place = document.place(self.path, key=self.key)
        return Problem(self.code, self.message, place, self.hint, "warning")


def ignores(document: Document, path: Path, code: str) -> bool:
    """Whether the value at a path, or one around it, says `metadata: { ignore: [code] }`."""
    data: Any = document.data
    for part in (None, *path):
        data = data if part is None else _part(data, part)
        if isinstance(data, dict) and code in _ignored(data.get("metadata")):
            return True
    return False


def _part(data: Any, part: str | int) -> Any:
    if isinstance(data, list) and isinstance(part, int):
        return data[part]
    return data.get(part) if isinstance(data, dict) else None


def _ignored(metadata: Any) -> Sequence[object]:
    """Metadata can be anything, so what is not as we read it means something to somebody else."""
    listed = metadata.get("ignore") if isinstance(metadata, dict) else None
    return [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
