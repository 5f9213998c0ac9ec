"""However many mistakes there are in a file, each is told as if it were alone, at its place, and nothing else is.

Mistakes go into valid workflows. Where one hides another for a reason, that is said here, in `hides`.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path as File
from typing import Any, NamedTuple, TypeAlias

import pytest

from tests.support.cases import FOLDER
from wfrun.app.authoring import validate
from wfrun.core.definition import Path, render_path
from wfrun.core.gaps import BLOCKS
from wfrun.errors import Problem, in_order
from wfrun.load.yaml import parse_document

FULL = os.environ.get("WFRUN_FAULTS") == "full"
SEEDS = 40 if FULL else 6
EACH_SEED = 250 if FULL else 10


class Mistake(NamedTuple):
    """`touched` is the step, or the part of the file, in which it is; no other mistake is made there."""

    code: str
    path: str
    touched: Path


Make: TypeAlias = Callable[[Any, random.Random, int], "Mistake | None"]


def steps_in(data: Any, path: Path = ("steps",)) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from steps_in(item, (*path, index))
    elif isinstance(data, dict):
        yield path, data
        for key in BLOCKS & data.keys():
            yield from steps_in(data[key], (*path, key))
        for key in ("cases", "catch"):
            for index, part in enumerate(data.get(key, [])):
                yield from steps_in(part["steps"], (*path, key, index, "steps"))


def in_a_step(code: str, key: str, value: Any, *, calls: bool = False, below: str = "") -> Make:
    """A wrong value of a key that a step does not have so far."""

    def make(data: Any, seeded: random.Random, _number: int) -> Mistake | None:
        found = [each for each in steps_in(data["steps"]) if key not in each[1] and (not calls or "service" in each[1])]
        if not found:
            return None
        path, step = seeded.choice(found)
        step[key] = value
        return Mistake(code, render_path((*path, key)) + below, path)

    return make


def without(key: str) -> Make:
    def make(data: Any, seeded: random.Random, _number: int) -> Mistake | None:
        found = [each for each in steps_in(data["steps"]) if key in each[1]]
        if not found:
            return None
        path, step = seeded.choice(found)
        del step[key]
        return Mistake("schema.missing-key", render_path(path), path)

    return make


def at_the_end(code: str, step: Callable[[Any, int], Any], below: str = "") -> Make:
    """One more step, with a mistake in it."""

    def make(data: Any, _seeded: random.Random, number: int) -> Mistake | None:
        if not isinstance(data["steps"], list) or not data.get("services"):
            return None
        data["steps"].append(step(data, number))
        path = ("steps", len(data["steps"]) - 1)
        return Mistake(code, render_path(path) + below, path)

    return make


def at_the_top(code: str, part: str, name: str, value: Any, below: str = "") -> Make:
    def make(data: Any, _seeded: random.Random, number: int) -> Mistake | None:
        if part in ("input", "services") and part not in data:
            return None  # with it, the workflow would be another one
        around = data.setdefault(part, {}) if part else data
        around[f"{name}{number}"] = value
        path = (part, f"{name}{number}") if part else (f"{name}{number}",)
        return Mistake(code, render_path(path) + below, path)

    return make


def a_name(data: Any) -> str:
    return next(str(step["name"]) for _, step in steps_in(data["steps"]) if "name" in step)


def a_call(data: Any, number: int, **more: Any) -> dict[str, Any]:
    service = next(iter(data["services"]))
    action = next(iter(data["services"][service].get("actions", {"any": None})))
    return {"name": f"added-{number}", "service": service, "action": action, **more}


def a_circle(_data: Any, number: int) -> dict[str, Any]:
    def branch(own: str, other: str) -> dict[str, Any]:
        return {"name": f"{own}-{number}", "type": "emit", "event": "x", "needs": f"{other}-{number}"}

    return {"type": "parallel", "steps": [branch("a", "b"), branch("b", "a")]}


def a_misspelt_wait(_data: Any, number: int) -> dict[str, Any]:
    return {"name": f"wait-{number}", "type": "wait", "for": "5 parsecs"}


CALL = {"service": "any", "action": "any"}
MAKERS: list[Make] = [
    in_a_step("schema.unknown-key", "zzz", 1),
    in_a_step("schema.type", "description", 5),
    in_a_step("schema.value", "retry", {"maxRetries": -1}, calls=True, below=".maxRetries"),
    in_a_step("schema.value", "deadline", "soon", calls=True),
    in_a_step("expression.syntax", "idempotencyKey", "${1 +}", calls=True),
    in_a_step("plan.unknown-path", "idempotencyKey", "${$.execution.nope}", calls=True),
    in_a_step("expression.syntax", "condition", "1 +", calls=True),
    in_a_step("schema.type", "condition", ["$.x"], calls=True),
    without("action"),
    without("service"),
    at_the_end("plan.duplicate-name", lambda data, n: {**a_call(data, n), "name": a_name(data)}, ".name"),
    at_the_end("plan.unknown-service", lambda data, n: {**a_call(data, n), "service": f"none-{n}"}, ".service"),
    at_the_end("plan.needs", a_circle, ".steps[0].needs"),
    at_the_end("plan.unknown-path", lambda data, n: a_call(data, n, input=["$.execution.nope"]), ".input[0]"),
    at_the_end("expression.syntax", lambda data, n: a_call(data, n, input={"x": "${1 +}"}), ".input.x"),
    at_the_end("schema.value", lambda data, n: {"name": f"added-{n}", "type": "dance"}, ".type"),
    at_the_end("schema.value", a_misspelt_wait, ".for"),
    at_the_end("schema.type", lambda _data, n: n),
    at_the_end("schema.value", lambda data, n: {**a_call(data, n), "name": f"no name {n}!"}, ".name"),
    at_the_top("schema.unknown-key", "", "zzz", 1),
    at_the_top("schema.type", "services", "broken", {"adapter": 5}, ".adapter"),
    at_the_top("field.schema", "input", "unsound", {"type": "object", "properties": 5}, ".properties"),
    at_the_top("field.pattern", "input", "unsound", {"type": "string?", "pattern": "("}, ".pattern"),
    at_the_top("plan.unknown-step", "compensations", "nobody", CALL),
]


def hides(one: Mistake, other: Mistake) -> bool:
    """Of a step of no known kind nothing else can be told. What a compensation misses is most likely a name that is
    there twice, or a step that says nothing."""
    if one.touched != other.touched:
        twice = {one.code, other.code} == {"plan.duplicate-name", "plan.unknown-step"}
        nothing = any(each.code == "schema.type" and each.path == render_path(each.touched) for each in (one, other))
        return twice or (nothing and "plan.unknown-step" in (one.code, other.code))
    no_kind = one.code == other.code == "schema.missing-key"
    return no_kind or any(each.path.endswith(".type") for each in (one, other))


def told(folder: File, data: Any) -> dict[tuple[str, str], Problem]:
    """By code and path. Every place is that of the path in the file."""
    file = folder / "workflow.yaml"
    file.write_text(json.dumps(data, indent=1))
    found = validate(str(file), services=None)
    assert found == in_order(found)
    places = parse_document(file.read_bytes(), str(file))
    marks = {render_path(path): {mark} for path, mark in places.marks.items()}
    for path, mark in places.keys.items():
        marks[render_path(path)].add(mark)
    for problem in found:
        at = (problem.place.line, problem.place.column)
        assert at in marks.get(problem.place.path, [at]), problem
    return {(problem.code, problem.place.path): problem for problem in found}


def is_valid(file: File) -> bool:
    return all(problem.severity == "warning" for problem in validate(str(file), services=None))


FILES = sorted(FOLDER.glob("*/*/workflow.yaml")) + sorted((FOLDER / "valid").glob("*.yaml"))
VALID = [file for file in FILES if is_valid(file)]


def test_there_is_something_to_make_mistakes_in() -> None:
    assert len(VALID) > 100


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_mistake_is_told_and_nothing_else(seed: int, tmp_path: File) -> None:
    seeded = random.Random(seed)
    most = 0
    for _ in range(EACH_SEED):
        data = parse_document(seeded.choice(VALID).read_bytes(), "w").data
        before = told(tmp_path, data)
        made = mistakes(data, before, seeded, tmp_path)
        found, wanted = told(tmp_path, data), {(each.code, each.path) for each in made}
        assert wanted <= found.keys(), made
        assert found.keys() <= wanted | before.keys(), [
            str(found[key]) for key in found.keys() - wanted - before.keys()
        ]
        most = max(most, len(made))
    assert most > 2


def mistakes(data: Any, before: dict[tuple[str, str], Problem], seeded: random.Random, folder: File) -> list[Mistake]:
    """Up to four of them, made in `data`; each has been made alone before, and was told, and nothing else was."""
    made: list[Mistake] = []
    valid = copy.deepcopy(data)
    for number, make in enumerate(seeded.sample(MAKERS, 4)):
        alone, trial, seed = copy.deepcopy(valid), copy.deepcopy(data), seeded.random()
        mistake = make(alone, random.Random(seed), number)
        if mistake is not None:
            found = told(folder, alone)
            assert found.keys() - before.keys() == {(mistake.code, mistake.path)}, list(map(str, found.values()))
        another = make(trial, random.Random(seed), number)
        if another is not None and not any(hides(another, each) for each in made):
            make(data, random.Random(seed), number)
            made.append(another)
    return made
