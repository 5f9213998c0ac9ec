"""From files to plans: reading what the user wrote, and what an execution started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import known_actions
from wfrun.app.checked import recall, remember
from wfrun.app.variables import variable
from wfrun.core.definition import Document
from wfrun.core.plan import Plan, build_plan, check_services, compile_plan
from wfrun.errors import InvalidError, NotFoundError, Problem
from wfrun.journal.home import Home
from wfrun.load.definition import load_definition, load_services
from wfrun.load.yaml import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that may be run: its document and plan, and the services it calls, each as configured."""

    document: Document
    plan: Plan
    services: Mapping[str, ServiceConfig]
    advice: list[Problem]

    @property
    def fields(self) -> Mapping[str, Any] | None:
        """What `input:` declares, or None if it declares nothing."""
        data: Any = self.document.data
        return data.get("input")  # type: ignore[no-any-return]


def read_file(path: str, what: str) -> bytes:
    """The bytes of a file that the user named. Raises NotFoundError with the reason if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotFoundError("file.unreadable", f"cannot read {what} {path}: {reason}") from None


def open_workflow(path: str, services: str | None, home: Home | None = None) -> Workflow:
    """The workflow of a file. Raises InvalidError with every problem of the file, its plan and its services.

    With a home, a definition that was read before is not read again.
    """
    source = read_file(path, "the workflow")
    document = load_definition(source, path) if home is None else remember(home, source, path)
    plan, advice = compile_plan(document)
    return Workflow(document, plan, _services(plan, Path(path).resolve().parent, services), advice)


def stored_workflow(home: Home, started: Mapping[str, Any], services: str | None) -> Workflow:
    """The workflow that an execution started with: the stored bytes, whatever the file says by now.

    Services are configuration, not definition: they are read again, from where they were at the start unless `services`
    names another file. The definition passed its checks when it started, and is not held against later ones.
    """
    origin = started["origin"]
    plan = stored_plan(home, started)
    folder = Path(origin["file"]).parent
    return Workflow(plan.document, plan, _services(plan, folder, services or origin.get("services")), [])


def stored_plan(home: Home, started: Mapping[str, Any]) -> Plan:
    """The plan that an execution started with, without its services. Writes nothing."""
    source = home.read_definition(started["definition"])
    return build_plan(recall(home, source, Path(started["origin"]["file"]).name))


def _services(plan: Plan, folder: Path, override: str | None) -> dict[str, ServiceConfig]:
    """The definition's services, each replaced by the entry of the same name in the services file.

    Raises InvalidError for calls of services or actions that there are not.
    """
    data: Any = plan.document.data
    configs = {
        name: ServiceConfig(name, settings, folder, variable) for name, settings in data.get("services", {}).items()
    }
    if override is not None:
        loaded = load_services(read_file(override, "the services file"), override)
        where = Path(override).resolve().parent
        configs |= {name: ServiceConfig(name, settings, where, variable) for name, settings in loaded.items()}
    actions = {name: known_actions(config) for name, config in configs.items()}
    if problems := check_services(plan, actions):
        raise InvalidError(problems)
    return configs
