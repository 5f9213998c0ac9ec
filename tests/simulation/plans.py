"""What a seed has done: a workflow of the gallery or an invented one, and how people and services take it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.support.plans import invent
from wfrun.app.workflows import examine_workflow
from wfrun.core.plan import Plan
from wfrun.core.plan.nodes import Foreach, Parallel, Step, walk
from wfrun.load.yaml import parse_document

GALLERY = Path(__file__).parents[2] / "workflows"
RETRIES = {"retryPolicy": {"policy": "fixed", "initialDelay": "200ms", "jitter": 0.2}, "maxRetries": 3, "timeout": "5s"}
# Reading a workflow takes much longer than running it.
INVENTED = 100
SVC = {"svc": {"adapter": "mock"}}
OTHER = {
    "name": "other",
    "services": SVC,
    "errorHandling": RETRIES,
    "steps": [
        {"name": "lend", "service": "svc", "action": "do", "compensate": {"service": "svc", "action": "undo"}},
        {"name": "rest", "type": "wait", "for": "40s"},
        {"name": "tell", "service": "svc", "action": "do"},
    ],
}


class Plans(NamedTuple):
    """`refuses` are steps that a service refuses for good, `rejects` whether people say no."""

    file: Path
    plan: Plan
    input: dict[str, Any]
    refuses: dict[str, str]
    rejects: bool

    @property
    def is_a_race(self) -> bool:
        """Whether what is left depends on what comes first: a refused branch stops its neighbours midway."""
        return any(step.id in self.refuses for block in walk(self.plan.root) for step in _at_once(block))

    @property
    def undoable(self) -> frozenset[str]:
        """Ids of the steps that something undoes."""
        return frozenset(step.id for step in walk(self.plan.root) if step.compensation) | {"lend"}


def plans_of(chance: Random) -> Plans:
    kind = chance.choice(("order", "loan", "expense", "invented", "invented", "invented"))
    if kind == "invented":
        number = chance.randrange(INVENTED)
        file, plan = invented(number)
        data: dict[str, Any] = {"x": chance.randrange(10)}
    else:
        file, plan = gallery(kind)
        data = _gallery_input(kind)
    names = [step.id for step in walk(plan.root) if "[" not in step.id]
    refuses = {name: chance.choice(("boom", "declined")) for name in names if chance.random() < 0.5 / len(names)}
    return Plans(file, plan, data, refuses, chance.random() < 0.1)


def _at_once(block: Step) -> Iterator[Step]:
    """The steps of a block whose branches are under way together."""
    return walk(block) if isinstance(block, Parallel | Foreach) else iter(())


@cache
def gallery(name: str) -> tuple[Path, Plan]:
    """A workflow of the gallery, with services that anybody has."""
    file = GALLERY / name / f"{name}.yaml"
    data: Any = parse_document(file.read_bytes(), str(file)).data
    return _written(name, {**data, "services": {name: {"adapter": "mock"} for name in data["services"]}})


@cache
def _gallery_input(name: str) -> Any:
    return json.loads((GALLERY / name / f"{name}.json").read_text())


@cache
def invented(number: int) -> tuple[Path, Plan]:
    _written("other", OTHER)
    definition = _without("onCrash", invent(Random(number), 2))
    return _written(f"invented-{number}", {**definition, "services": SVC, "errorHandling": RETRIES})


def _without(key: str, data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _without(key, value) for name, value in data.items() if name != key}
    return [_without(key, each) for each in data] if isinstance(data, list) else data


def _written(name: str, definition: Any) -> tuple[Path, Plan]:
    file = Path(_folder().name) / f"{name}.yaml"
    file.write_text(json.dumps(definition))
    return file, examine_workflow(str(file), None).plan


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="wfrun-simulation-")
