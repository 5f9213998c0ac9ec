"""What the files of an example say of each other: workflow, services files and Python agree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
NAMES = sorted(file.parents[1].name for file in (ROOT / "workflows").glob("*/services/__main__.py"))
INPUTS = sorted(file for name in NAMES for file in (ROOT / "workflows" / name).glob("*.json"))


def read(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text())


def workflow(name: str) -> Any:
    return read(ROOT / "workflows" / name / f"{name}.yaml")


def calls(node: Any) -> Iterator[dict[str, Any]]:
    """Every step and compensation that calls a service, wherever it stands."""
    if isinstance(node, dict):
        if "service" in node:
            yield node
        else:
            for value in node.values():
                yield from calls(value)
    elif isinstance(node, list):
        for value in node:
            yield from calls(value)


def test_the_gallery_is_complete() -> None:
    assert NAMES == ["expense", "loan", "notifications", "order"]


@pytest.mark.parametrize("name", NAMES)
def test_every_action_that_is_named_exists_and_every_one_that_exists_is_named(
    name: str, example: Callable[[str], Any]
) -> None:
    definition = workflow(name)
    called = calls([definition["steps"], list(definition.get("compensations", {}).values())])
    used = {f"{call['service']}.{call['action']}" for call in called}
    assert used == set(example(name).world.actions)


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_a_module_that_has_its_actions(name: str, example: Callable[[str], Any]) -> None:
    loaded = example(name)
    for service, settings in workflow(name)["services"].items():
        package, module = settings["module"].split(".")
        assert (settings["adapter"], package) == ("python", "services")
        actions = [action for action in loaded.world.actions.values() if action.system == service]
        assert actions
        assert {action.function.__module__ for action in actions} == {f"gallery_{name}.{module}"}


@pytest.mark.parametrize("name", NAMES)
def test_the_services_over_http_are_the_same_ones(name: str, example: Callable[[str], Any]) -> None:
    services = read(ROOT / "workflows" / name / "services.http.yaml")["services"]
    assert services.keys() == workflow(name)["services"].keys()
    routes = {}
    for service, settings in services.items():
        assert settings["adapter"] == "http"
        prefix = "/" + settings["baseUrl"].split("/", 3)[3]
        for action, route in settings["actions"].items():
            method, path = route.split()
            routes[f"{service}.{action}"] = (method, prefix + path)
    actions = example(name).world.actions
    assert routes == {full: (action.method, action.path) for full, action in actions.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_compensation_undoes_its_steps_action_by_the_reference_that_the_step_was_given(
    name: str, example: Callable[[str], Any]
) -> None:
    definition = workflow(name)
    actions = example(name).world.actions
    steps = {call["name"]: call for call in calls(definition["steps"])}
    undone = {action.undoes for action in actions.values() if action.undoes}
    compensations = definition.get("compensations", {})
    assert {steps[step]["action"] for step in compensations} == undone
    for step, compensation in compensations.items():
        action = actions[f"{compensation['service']}.{compensation['action']}"]
        assert (action.system, action.undoes) == (steps[step]["service"], steps[step]["action"])
        assert compensation["input"] == {"reference": steps[step]["input"]["reference"]}


@pytest.mark.parametrize("file", INPUTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_an_input_has_the_keys_that_its_workflow_declares(file: Path) -> None:
    declared = workflow(file.parent.name)["input"]
    assert json.loads(file.read_text()).keys() == declared.keys()


@pytest.mark.parametrize("name", NAMES)
def test_its_own_command_works_where_it_stands(name: str) -> None:
    command = [sys.executable, "-m", "services", "state"]
    done = subprocess.run(command, cwd=ROOT / "workflows" / name, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert "calls: none" in done.stdout


def test_the_order_is_the_one_of_the_story() -> None:
    steps = [call["name"] for call in calls(workflow("order")["steps"])]
    assert steps == [
        "validate-order",
        "check-inventory",
        "reserve-inventory",
        "process-payment",
        "create-shipment",
        "update-crm",
        "send-confirmation",
    ]
    assert len({call["service"] for call in calls(workflow("order")["steps"])}) == 7
