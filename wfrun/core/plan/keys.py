"""Which keys the context can have at one place of a plan, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from wfrun.core.plan.shapes import ANY, Shape, declared


class Key(NamedTuple):
    """What is known of a key's value. `missing` says why the key may not be there; nothing: it surely is. `instead` is
    what could be read in its place."""

    shape: Shape = ANY
    missing: str = ""
    instead: str = ""

    def unless(self, reason: str) -> Key:
        return self if self.missing else self._replace(missing=reason)

    def or_else(self, other: Key) -> Key:
        """What is known if it is either of two."""
        return Key(self.shape if self.shape == other.shape else ANY, self.missing or other.missing)


class Keys:
    """The keys set at this place itself, and those of the place around it.

    `hides`: this place is only reached if some condition holds. A key from around it that may be missing elsewhere is
    no mistake here, for the condition may be the very one under which it is set. `open`: nobody knows what comes before
    this place.
    """

    __slots__ = ("_around", "_hides", "_open", "own")

    def __init__(
        self, own: Mapping[str, Key], around: Keys | None = None, *, hides: bool = False, open: bool = False
    ) -> None:
        self.own = dict(own)
        self._around = around
        self._hides = hides
        self._open = open

    def get(self, name: str) -> Key | None:
        if name in self.own:
            return self.own[name]
        found = self._around.get(name) if self._around is not None else None
        return found._replace(missing="") if found is not None and self._hides else found

    def excuses(self, name: str) -> bool:
        """Whether a condition has been asked since the key was set: it may have been about that key."""
        if name in self.own or self._around is None:
            return False
        return self._hides or self._around.excuses(name)

    def is_open(self) -> bool:
        return self._open or (self._around is not None and self._around.is_open())

    def names(self) -> Iterable[str]:
        yield from self.own
        if self._around is not None:
            yield from self._around.names()

    def inside(self, own: Mapping[str, Key] | None = None) -> Keys:
        """A place that is always reached from here, but whose keys are its own for now: a branch, a compensation."""
        return Keys(own or {}, self)

    def under_condition(self, own: Mapping[str, Key] | None = None) -> Keys:
        return Keys(own or {}, self, hides=True)

    def in_doubt(self) -> Keys:
        return Keys({}, self, hides=True, open=True)

    def add(self, found: Mapping[str, Key]) -> None:
        """Take over keys. One that was there before and is set again, or not, is there in any case."""
        for name, key in found.items():
            before = self.get(name) if key.missing else None
            self.own[name] = key if before is None else key.or_else(before)._replace(missing=before.missing)


def of_input(fields: Mapping[str, Any] | None) -> Keys:
    """What an execution starts with."""
    whole = declared(fields or {}, "the input may leave it out")
    return Keys({name: Key(shape, whole.optional.get(name, "")) for name, shape in (whole.fields or {}).items()})


def maybe(keys: Mapping[str, Key], reason: str) -> dict[str, Key]:
    return {name: key.unless(reason) for name, key in keys.items()}


def one_of(branches: Sequence[Mapping[str, Key]]) -> dict[str, Key]:
    """The keys that are set when one of several branches has run."""
    found: dict[str, Key] = {}
    for name in dict.fromkeys(name for branch in branches for name in branch):
        keys = [branch[name] for branch in branches if name in branch]
        key = keys[0]
        for other in keys[1:]:
            key = key.or_else(other)
        reason = "it is set in one branch only" if len(keys) == 1 else "it is not set in every branch"
        found[name] = key if len(keys) == len(branches) else key.unless(reason)
    return found
