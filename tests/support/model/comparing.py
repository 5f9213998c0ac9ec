"""The model and wfrun side by side: what they say of the same invention."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.support.cases import EXECUTION, Case, Player
from tests.support.local import play_in_memory
from tests.support.model.invented import Invention
from tests.support.model.scripted import Prediction, predict
from tests.support.outcomes import Made, Outcome
from tests.support.stage import Stage
from tests.support.world import EPOCH, document
from wfrun.core.instants import parse_instant
from wfrun.core.plan import Plan, compile_plan
from wfrun.core.values import canonical


class Racy(Exception):
    """What comes of it depends on which of several things at the same instant comes first."""


class Compared(NamedTuple):
    status: str
    differences: list[str]


class Invented(Stage):
    """The pure core, with definitions that stand in no file."""

    def __init__(self, invention: Invention) -> None:
        self._definitions = invention.definitions
        super().__init__(Case("invented", Path()), invention.scenario)

    def plan_of(self, workflow: str | None) -> Plan:
        return compile_plan(document(self._definitions[workflow]))[0]


def compare(invention: Invention) -> Compared:
    """The pure core and the model. Raises Racy."""
    stage = Invented(invention)
    stage.play()
    predicted = predict(invention.definitions.__getitem__, invention.scenario)
    if stage.choices or predicted.tied:
        raise Racy
    outcome = stage.outcome
    return Compared(outcome.status, [*differences(predicted.outcome, outcome), *_times(predicted, stage)])


def compare_local(invention: Invention) -> Compared:
    """The local engine and the model. Raises Racy."""
    compare(invention)
    predicted = predict(invention.definitions.__getitem__, invention.scenario)
    with written(invention) as case:
        outcome = play_in_memory(case, invention.scenario)
    return Compared(outcome.status, list(differences(predicted.outcome, outcome)))


def compare_with_local(player: Player, invention: Invention) -> Compared:
    """Another engine and the local one. Raises Racy."""
    compare(invention)
    with written(invention) as case:
        local, outcome = play_in_memory(case, invention.scenario), player(case, invention.scenario)
    return Compared(outcome.status, list(differences(local, outcome)))


@contextmanager
def written(invention: Invention) -> Iterator[Case]:
    """An invention in files, with a service that anybody has."""
    with TemporaryDirectory() as folder:
        for name, definition in invention.definitions.items():
            services = {"services": {"svc": {"adapter": "mock"}}}
            Path(folder, f"{name or 'workflow'}.yaml").write_text(json.dumps({**definition, **services}))
        yield Case(f"invented in {folder}", Path(folder))


def differences(wanted: Outcome, real: Outcome) -> Iterator[str]:
    for what, one, other in zip(_ASPECTS, _aspects(wanted), _aspects(real), strict=True):
        if canonical(one) != canonical(other):
            yield f"{what}: {one!r} was wanted, and it was {other!r}"
    yield from _of_children(wanted, real)


def _of_children(wanted: Outcome, real: Outcome) -> Iterator[str]:
    for step in sorted(wanted.children.keys() | real.children.keys()):
        if step not in wanted.children or step not in real.children:
            yield f"{step}: only one of them has started it"
        else:
            yield from (f"{step}: {each}" for each in differences(wanted.children[step], real.children[step]))


_ASPECTS = ["status", "output", "error", "failures", "calls", "undone", "stopped", "open"]
_ASPECTS += ["decisions", "tasks", "timers", "emitted", "at once"]


def _aspects(outcome: Outcome) -> tuple[Any, ...]:
    return (
        outcome.status,
        _wordless(outcome.output),
        _wordless(outcome.error),
        _wordless(outcome.failures),
        sorted(map(_told, outcome.calls)),
        [_told(made) for made in outcome.undone],
        sorted(outcome.stopped),
        sorted(outcome.open),
        outcome.decisions,
        outcome.tasks,
        {name: time for name, time in outcome.timers.items() if not name.endswith("!timeout")},
        sorted(map(canonical, outcome.emitted)),
        outcome.at_once,
    )


def _told(made: Made) -> list[Any]:
    return [made.step, made.attempt, canonical(_wordless(made.input)), made.key]


def _wordless(value: Any) -> Any:
    """Without the messages of errors: wfrun's name files and lines."""
    if isinstance(value, dict):
        return {key: _wordless(inner) for key, inner in value.items() if key != "message"}
    return [_wordless(inner) for inner in value] if isinstance(value, list) else value


def _times(predicted: Prediction, stage: Stage) -> Iterator[str]:
    begun = {key: round(at * 1000) for key, at in predicted.begun.items()}
    found: dict[tuple[str, int], int] = {}
    for record in stage.actors[EXECUTION].records:
        if record["type"] == "step.started":
            at = round((parse_instant(record["at"]) - EPOCH).total_seconds() * 1000)
            found.setdefault((record["step"], record["attempt"]), at)
    for key in begun.keys() & found.keys():
        if begun[key] != found[key]:
            yield f"{key} begins at {begun[key]}, and began at {found[key]}"
