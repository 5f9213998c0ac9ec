"""Which keys the context can have at one place of a plan, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from wfrun.core.plan.shapes import ANY, Shape, declared


class Key(NamedTuple):
    """What is known of a key's value. `missing` says why the key may not be there; nothing: it surely is."""

    shape: Shape = ANY
    missing: str = ""

    def unless(self, reason: str) -> Key:
        return self if self.missing else self._replace(missing=reason)


class Keys:
    """The keys set at this place itself, and those of the place around it.

    `guarded`: this place is only reached if some condition holds. A key that may be missing elsewhere is no mistake
    here, for the condition may be the very one under which it is set.
    """

    __slots__ = ("_around", "_hides", "guarded", "own")

    def __init__(self, own: Mapping[str, Key], around: Keys | None = None, *, hides: bool = False) -> None:
        self.own = dict(own)
        self._around = around
        self._hides = hides
        self.guarded: bool = hides or (around is not None and around.guarded)

    def get(self, name: str) -> Key | None:
        if name in self.own:
            return self.own[name]
        found = self._around.get(name) if self._around is not None else None
        return found._replace(missing="") if found is not None and self._hides else found

    def names(self) -> Iterable[str]:
        yield from self.own
        if self._around is not None:
            yield from self._around.names()

    def inside(self) -> Keys:
        """A place that is always reached from here, but whose keys are its own for now: a branch, a compensation."""
        return Keys({}, self)

    def under_condition(self) -> Keys:
        return Keys({}, self, hides=True)


def of_input(fields: Mapping[str, Any] | None) -> Keys:
    """What an execution starts with."""
    whole = declared(fields or {}, "the input may leave it out")
    return Keys({name: Key(shape, whole.optional.get(name, "")) for name, shape in (whole.fields or {}).items()})


def either(one: Keys, other: Keys) -> dict[str, Key]:
    """The keys that are set when one of two branches has run."""
    found = {}
    for name in one.own | other.own:
        keys = [branch.own[name] for branch in (one, other) if name in branch.own]
        same = all(key.shape == keys[0].shape for key in keys)
        missing = next((key.missing for key in keys if key.missing), "")
        key = Key(keys[0].shape if same else ANY, missing)
        found[name] = key if len(keys) == 2 else key.unless("it is set in one branch only")
    return found
