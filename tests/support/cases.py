"""Cases: small workflows, what happens around them, and what has to come of it. They know no engine.

A case is a folder with `workflow.yaml`, the workflows that it starts as `<name>.yaml`, and `case.yaml`:

    about: what the case shows
    advice: [codes of the warnings that the workflow is meant to give]
    scenarios:
      - name: what happens in it
        input: {…}
        services:                     # by step, or by step instance (`pack@2`, `compensate:pack`)
          pack: {result: …}           # an answer of the mock adapter; of a list, each attempt gets its own
        people:
          approve: [{by: ann, decision: approved, after: 1h, data: {…}, refused: code of the refusal, or perhaps}]
        events: [{type: order.paid, data: …, at: 5m}]
        operator: [{do: cancel, during: pack}]
        timeless: false               # the outcome may depend on what comes first, …
        because: why
        expect: {…}

The execution's id is `case`, its initiator `ann`. Time is counted from its start; a call takes none, unless its answer
has a `delay`. `at` is such a time; `after` and `during` name a step that has been done or begun, in any execution, and
`delay` adds to either. What a scenario does not say, the workflow's own services answer.

`expect` has, each of them optional: `status` (also `waiting` and `paused`), `output`, `error`; `calls` and `undone`, in
the order begun, all of them, where `{together: [branch, …]}` stands for branches whose calls may mix; `stopped`, the
steps that were cancelled or withdrawn; `open`, the steps that still wait; `decisions`, `tasks`, `timers` (how long each
was), `emitted`, `failures`, `atOnce` (how many calls ran at the same time) and `children`, for each step that started a
workflow what is expected of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tests.support.outcomes import Made, Outcome
from wfrun.core.expression import parse_duration
from wfrun.core.values import canonical
from wfrun.load.yaml import parse_document

FOLDER = Path(__file__).parent.parent / "cases"
EXECUTION = "case"
INITIATOR = "ann"

_KEYS = {"name", "input", "services", "people", "events", "operator", "timeless", "because", "expect"}


class Scenario(NamedTuple):
    name: str
    input: dict[str, Any]
    services: dict[str, Any]
    people: dict[str, list[dict[str, Any]]]
    events: list[dict[str, Any]]
    operator: list[dict[str, Any]]
    expect: dict[str, Any]
    timeless: bool


@dataclass(frozen=True)
class Case:
    """A folder. `name` is its path below `tests/cases`."""

    name: str
    folder: Path

    @cached_property
    def _data(self) -> Any:
        file = self.folder / "case.yaml"
        return parse_document(file.read_bytes(), str(file)).data

    @property
    def advice(self) -> list[str]:
        return list(self._data.get("advice", []))

    @cached_property
    def scenarios(self) -> list[Scenario]:
        assert set(self._data) <= {"about", "advice", "scenarios"}, f"{self.name}: {set(self._data)}"
        return [_scenario(self.name, data) for data in self._data["scenarios"]]

    def workflow(self, name: str | None = None) -> Path:
        """The file of the workflow, or of another that it starts: itself, where the name is its own."""
        other = self.folder / f"{name}.yaml"
        return other if name is not None and other.exists() else self.folder / "workflow.yaml"


def _scenario(case: str, data: dict[str, Any]) -> Scenario:
    assert set(data) <= _KEYS, f"{case}: a scenario has no {set(data) - _KEYS}"
    assert data.get("timeless", True) or data.get("because"), f"{case}: `timeless: false` needs a reason"
    assert set(data["expect"]) <= set(EXPECTATIONS), f"{case}: nothing checks {set(data['expect']) - set(EXPECTATIONS)}"
    return Scenario(
        data["name"],
        data.get("input", {}),
        data.get("services", {}),
        data.get("people", {}),
        data.get("events", []),
        data.get("operator", []),
        data["expect"],
        data.get("timeless", True),
    )


def load_cases(kind: str = "*") -> list[Case]:
    """Every case; `kind` is `constructs` or `patterns`."""
    files = sorted(FOLDER.glob(f"{kind}/*/case.yaml"))
    return [Case(str(file.parent.relative_to(FOLDER)), file.parent) for file in files]


class Player(Protocol):
    """An engine under test: it plays a scenario and answers with what its journals say."""

    def __call__(self, case: Case, scenario: Scenario, seed: int | None = None) -> Outcome: ...


# ---- what was expected


def check(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What differs from what the scenario expects; nothing if all is as it should be."""
    return list(_compare(scenario.expect, outcome))


def _compare(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[str]:
    for key, wanted in expect.items():
        for difference in EXPECTATIONS[key](wanted, outcome):
            yield f"{key}: {difference}"


def _equal(wanted: Any, came: Any) -> Iterator[str]:
    if canonical(wanted) != canonical(came):
        yield f"{came!r} instead of {wanted!r}"


def _like(wanted: Any, came: Any) -> Iterator[str]:
    """Of mappings only what is named counts."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        for key, value in wanted.items():
            for difference in _like(value, came.get(key)):
                yield f"{key}: {difference}"
    elif isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        for position, (value, other) in enumerate(zip(wanted, came, strict=True)):
            for difference in _like(value, other):
                yield f"[{position}]: {difference}"
    else:
        yield from _equal(wanted, came)


def _children(wanted: dict[str, Any], outcome: Outcome) -> Iterator[str]:
    yield from _equal(sorted(wanted), sorted(outcome.children))
    for step in wanted.keys() & outcome.children.keys():
        for difference in _compare(wanted[step], outcome.children[step]):
            yield f"{step}: {difference}"


def _durations(wanted: dict[str, Any], outcome: Outcome) -> Iterator[str]:
    yield from _like({name: parse_duration(text) for name, text in wanted.items()}, outcome.timers)


def _in_any_order(wanted: list[Any], came: list[Any]) -> Iterator[str]:
    yield from _equal(sorted(wanted, key=canonical), sorted(came, key=canonical))


def _made(wanted: list[Any], made: list[Made]) -> Iterator[str]:
    """Calls in the order begun."""
    order = _Order(made)
    order.span(wanted)
    missing = sorted({one.step for one in made} - order.named)
    yield from order.differences
    if missing:
        yield f"nobody expected {', '.join(missing)}"
    if order.differences or missing:
        yield f"in all {[one.step for one in made]}"


class _Order:
    """Expected calls laid over those that were made."""

    def __init__(self, made: list[Made]) -> None:
        self.made = made
        self.named: set[str] = set()
        self.differences: list[str] = []

    def span(self, wanted: Any) -> tuple[int, int]:
        """Between which positions a call, a list of them in order, or branches together stand."""
        if isinstance(wanted, list):
            return self._in_order(wanted)
        if isinstance(wanted, dict) and "together" in wanted:
            spans = [self.span(branch) for branch in wanted["together"]]
            return min(first for first, _ in spans), max(last for _, last in spans)
        return self._call({"step": wanted} if isinstance(wanted, str) else wanted)

    def _in_order(self, wanted: list[Any]) -> tuple[int, int]:
        spans = [self.span(item) for item in wanted]
        for before, after, what in zip(spans, spans[1:], wanted[1:], strict=False):
            if before[1] >= after[0]:
                self.differences.append(f"{what} too early")
        return (spans[0][0], spans[-1][1]) if spans else (-1, -1)

    def _call(self, wanted: dict[str, Any]) -> tuple[int, int]:
        step = wanted["step"]
        found = [position for position, one in enumerate(self.made) if one.step == step]
        self.named.add(step)
        if len(found) != wanted.get("attempts", 1):
            self.differences.append(f"{len(found)} attempts at {step}")
        for one in (self.made[position] for position in found):
            for key in wanted.keys() & {"input", "key"}:
                self.differences += [f"{step}: {key}: {each}" for each in _equal(wanted[key], getattr(one, key))]
        return (found[0], found[-1]) if found else (len(self.made), -1)


EXPECTATIONS: dict[str, Any] = {
    "status": lambda wanted, outcome: _equal(wanted, outcome.status),
    "output": lambda wanted, outcome: _equal(wanted, outcome.output),
    "error": lambda wanted, outcome: _like(wanted, outcome.error),
    "calls": lambda wanted, outcome: _made(wanted, outcome.calls),
    "undone": lambda wanted, outcome: _made(wanted, outcome.undone),
    "stopped": lambda wanted, outcome: _equal(sorted(wanted), sorted(outcome.stopped)),
    "atOnce": lambda wanted, outcome: _equal(wanted, outcome.at_once),
    "open": lambda wanted, outcome: _equal(sorted(wanted), sorted(outcome.open)),
    "decisions": lambda wanted, outcome: _equal(wanted, outcome.decisions),
    "tasks": lambda wanted, outcome: _like(wanted, outcome.tasks),
    "timers": _durations,
    "emitted": lambda wanted, outcome: _in_any_order(wanted, outcome.emitted),
    "failures": lambda wanted, outcome: _like(wanted, outcome.failures),
    "children": _children,
}
