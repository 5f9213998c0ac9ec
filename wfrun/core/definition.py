"""A workflow file that has been read: plain JSON data, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wfrun.core.gaps import NO_GAPS, Gaps, Path
from wfrun.core.values import Json
from wfrun.errors import Place

__all__ = ["Document", "Path", "render_path"]


def render_path(path: Path) -> str:
    """`("steps", 1, "then", 0)` as people write it: `steps[1].then[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Document(NamedTuple):
    """Parsed YAML or JSON.

    `data` is JSON; `marks` gives for the path of every value its (line, column), counted from 1, and for the path of
    every mapping entry the position of its *key* in `keys`. `source` is the exact bytes, `sha256` their hash. Of a file
    that is broken in places, `data` is what is left, with `gaps` in those places.
    """

    data: Json
    marks: Mapping[Path, tuple[int, int]]
    keys: Mapping[Path, tuple[int, int]]
    file: str
    source: bytes
    sha256: str
    gaps: Gaps = NO_GAPS

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at `path` (or its key) stands, or the nearest value around it that has a mark."""
        table = self.keys if key and path in self.keys else self.marks
        known = path
        while known and known not in table:
            known = known[:-1]
        line, column = table.get(known, (1, 1))
        return Place(self.file, line, column, render_path(path))
