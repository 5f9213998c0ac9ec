"""From files to plans: reading what the user wrote, and what an execution started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import known_actions
from wfrun.app.checked import is_checked, mark_checked
from wfrun.app.variables import variable
from wfrun.core.definition import Document
from wfrun.core.plan import Plan, check_services, compile_plan
from wfrun.errors import InvalidError, NotFoundError, Problem
from wfrun.journal.home import Home
from wfrun.load.definition import load_definition, load_services
from wfrun.load.yaml import parse_document

MAX_FILE = 4 * 1024 * 1024


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
            return file.read(MAX_FILE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotFoundError("file.unreadable", f"cannot read {what} {path}: {reason}") from None


def open_workflow(path: str, services: str | None, home: Home | None = None) -> Workflow:
    """The workflow of a file. Raises InvalidError with every problem of the file, its plan and its services.

    With a home, a definition that it has checked before is not checked against the schema again.
    """
    source = read_file(path, "the workflow")
    return _workflow(source, path, Path(path).resolve(), services, home)


def stored_workflow(home: Home, started: Mapping[str, Any], services: str | None) -> Workflow:
    """The workflow that an execution started with: the stored bytes, whatever the file says by now.

    Services are configuration, not definition: they are read again, from where they were at the start unless `services`
    names another file.
    """
    origin = started["origin"]
    source = home.read_definition(started["definition"])
    file = Path(origin["file"])
    return _workflow(source, file.name, file, services or origin.get("services"), home)


def _workflow(source: bytes, shown: str, file: Path, services: str | None, home: Home | None) -> Workflow:
    document = _document(source, shown, home)
    plan, advice = compile_plan(document)
    configs = _services(document, file.parent, services)
    actions = {name: known_actions(config) for name, config in configs.items()}
    if problems := check_services(plan, actions):
        raise InvalidError(problems)
    return Workflow(document, plan, configs, advice)


def _document(source: bytes, shown: str, home: Home | None) -> Document:
    """A home remembers the bytes that passed the schema: the check costs more than the rest of a start together."""
    if home is None:
        return load_definition(source, shown)
    if is_checked(home, source):
        return parse_document(source, shown)
    document = load_definition(source, shown)
    mark_checked(home, source)
    return document


def _services(document: Document, folder: Path, override: str | None) -> dict[str, ServiceConfig]:
    """The definition's services, each replaced by the entry of the same name in the services file."""
    data: Any = document.data
    configs = {
        name: ServiceConfig(name, settings, folder, variable) for name, settings in data.get("services", {}).items()
    }
    if override is not None:
        loaded = load_services(read_file(override, "the services file"), override)
        where = Path(override).resolve().parent
        configs |= {name: ServiceConfig(name, settings, where, variable) for name, settings in loaded.items()}
    return configs
