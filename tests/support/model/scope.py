"""What a step sees, and what is remembered of what has been done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wfrun.core.expression import MISSING


@dataclass
class Done:
    """Something that can be undone: by `calls`, or by undoing the execution `child`. `seen` is what was known then.
    `made` are the calls that have been made."""

    order: int
    instance: str
    calls: list[Mapping[str, Any]]
    child: str | None
    seen: Seen
    made: int = 0


@dataclass(frozen=True)
class Seen:
    """Data as it was at one moment: the keys, which are `$`, and names that can be asked for besides."""

    keys: Mapping[str, Any]
    also: Mapping[str, Any]

    def get(self, name: str) -> Any:
        return self.also[name] if name in self.also else self.keys.get(name, MISSING)

    def whole(self) -> dict[str, Any]:
        return dict(self.keys)

    def names(self) -> Iterable[str]:
        return [*self.keys, *self.also]

    def knowing(self, **more: Any) -> Seen:
        return Seen(self.keys, {**self.also, **more})


@dataclass
class Scope:
    """One path through a workflow. `own` are the keys that were set on it, `taken` the events that waits on it took."""

    keys: dict[str, Any]
    also: dict[str, Any]
    round: str = ""
    own: dict[str, Any] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    around: Scope | None = None
    pivoted: list[bool] = field(default_factory=list)

    def set(self, name: str, value: Any) -> None:
        self.keys[name] = self.own[name] = value

    def seen(self) -> Seen:
        return Seen(dict(self.keys), dict(self.also))

    def branch(self, known: Mapping[str, Any] | None = None, taken: Iterable[str] = ()) -> Scope:
        """A path of its own that begins here. It may know more than is known here."""
        keys, taken = {**self.keys, **(known or {})}, {*self.taken, *taken}
        return Scope(keys, dict(self.also), self.round, taken=taken, around=self)

    def pivot(self) -> None:
        """What has been done here stays, and so does what it is a part of."""
        self.pivoted.append(True)
        if self.around is not None:
            self.around.pivot()

    def iteration(self, index: int, names: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Scope:
        """One time round a loop, which may begin with what the one `before` it has set."""
        round = f"{self.round}.{index}" if self.round else f"@{index}"
        inside = self.branch()
        inside.also, inside.round = {**self.also, **names, "index": index}, round
        for name, value in (before or {}).items():
            inside.set(name, value)
        return inside

    def knowing(self, name: str, value: Any) -> Scope:
        """The same path, where something more can be asked for."""
        more = {**self.also, name: value}
        return Scope(self.keys, more, self.round, self.own, self.done, self.taken, self.around, self.pivoted)
