"""What a broken file leaves open: where parts of it are missing from its data, and what they may have been about.

A file is checked to its end although parts of it are broken. Those parts are left out, or something harmless stands in
their place, and whatever could depend on them is not judged: a false consequence is worse than one that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from wfrun.core.values import Json

Path: TypeAlias = tuple["str | int", ...]

# The keys behind which steps stand, and those behind which parts of a step stand, which hold steps.
BLOCKS = frozenset(["steps", "then", "else", "finally"])
PARTS = frozenset(["cases", "catch", "onError"])


class Gaps(NamedTuple):
    """`paths` are the places; `words` all that may be names in what stood there, as `plain` has them, and `reads` the
    keys of the context that were read.

    `any_key`: something there may set any key of the context; `any_name`: a step there may have any name.
    """

    paths: frozenset[Path] = frozenset()
    words: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    any_key: bool = False
    any_name: bool = False

    def __bool__(self) -> bool:
        return bool(self.paths)

    def at(self, path: Path) -> bool:
        """Whether there is nothing to be known of the value at `path`: it is in a gap, or has one in it."""
        return any(gap[: len(path)] == path or path[: len(gap)] == gap for gap in self.paths)

    def within(self, path: Path) -> bool:
        return any(gap[: len(path)] == path for gap in self.paths)

    def directly_in(self, path: Path) -> bool:
        """Whether one of the keys of the mapping at `path` is missing or unknown."""
        return any(gap[:-1] == path for gap in self.paths)

    def mention(self, name: str) -> bool:
        return plain(name) in self.words

    def may_set(self, key: str) -> bool:
        return self.any_key or self.mention(key)

    def may_name(self, name: str) -> bool:
        return self.any_name or self.mention(name)


NO_GAPS = Gaps()


def steps_of(path: Path) -> tuple[Path, ...]:
    """The steps of which it is in doubt what they do if something at `path` is missing: the innermost step or list of
    steps there is, and if that is all that stands behind a key of a step, that step."""
    inner = _step_around(path)
    return (inner, _step_around(path[:-1])) if path and path[-1] in BLOCKS else (inner,)


def _step_around(path: Path) -> Path:
    end = position = 0
    while position < len(path) and path[position] in BLOCKS | PARTS:
        holds_steps = path[position] in BLOCKS
        position += 1
        while position < len(path) and isinstance(path[position], int):
            position += 1
        end = position if holds_steps else end
    return path[:end]


def words(value: Json) -> Iterator[str]:
    """Everything in a value that may be a name, be it in a text or a key; a path only reads."""
    for text in _texts(value):
        if not text.startswith("$"):
            yield plain(text)
        for name in re.findall(r"\w+(?:[-.]\w+)*", re.sub(_PATH, " ", text)):
            yield plain(name)
            yield from map(plain, re.split("[-.]", name))


def reads(value: Json) -> Iterator[str]:
    """The keys of the context that paths in a value begin with."""
    for text in _texts(value):
        yield from (key for found in re.findall(_PATH, text) for key in re.findall(r"\w+", found)[:1])


_PATH = r"\$[.\w\[\]'\"*-]*"


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)


def plain(word: str) -> str:
    """A name as people remember it: a slip in how it is written is not another name."""
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
