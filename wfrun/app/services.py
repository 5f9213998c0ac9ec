"""Which entry each service of a workflow has, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import LOCAL, check_entry, known_actions, shows_life
from wfrun.app.files import read_file
from wfrun.app.variables import variable
from wfrun.core.definition import Document
from wfrun.core.definition import Path as DocumentPath
from wfrun.core.plan import Plan, called, check_heartbeats, check_services
from wfrun.errors import Place, Problem
from wfrun.load.definition import load_services, services_in
from wfrun.load.names import did_you_mean

Configs: TypeAlias = Mapping[str, ServiceConfig]


def configure(plan: Plan, folder: Path, override: str | None) -> tuple[Configs, list[Problem]]:
    """The definition's services, each replaced by the entry of the same name in the services file, and what is wrong.

    Raises InvalidError if that file cannot be read as one.
    """
    configs = _configs(plan.document, ("services",), folder)
    found: list[Problem] = []
    if override is not None:
        document = load_services(read_file(override, "the services file"), override)
        replacing = _configs(document, services_in(document), Path(override).resolve().parent)
        found = [*_unused(document, replacing, {*configs, *called(plan)})]
        configs = {**configs, **replacing}
    return configs, [*found, *_check(plan, configs)]


def _configs(document: Document, at: tuple[str, ...], folder: Path) -> Configs:
    """The entries at a path of a document."""
    entries: Any = document.data
    for key in at:
        entries = entries.get(key, {})

    def locate(name: str) -> Callable[[DocumentPath], Place]:
        return lambda path: document.place((*at, name, *path))

    return {name: ServiceConfig(name, entry, folder, variable, locate(name)) for name, entry in entries.items()}


def _unused(document: Document, replacing: Configs, wanted: set[str]) -> Iterator[Problem]:
    for name in replacing:
        if name not in wanted:
            place = document.place((*services_in(document), name), key=True)
            message = f"the workflow has no service {name!r}, so this entry replaces nothing"
            yield Problem("service.unused", message, place, did_you_mean(name, wanted), "warning")


def _check(plan: Plan, configs: Configs) -> list[Problem]:
    """What is wrong with the entries of services that are called; with those of others, as advice."""
    calls = called(plan)
    found: list[Problem] = []
    actions: dict[str, frozenset[str] | None] = dict.fromkeys(configs)
    for name, config in configs.items():
        problems = check_entry(config, calls.get(name, frozenset()))
        if name not in calls:
            problems = [each._replace(severity="warning") for each in problems if each.code not in LOCAL]
        elif all(each.severity == "warning" or each.code in LOCAL for each in problems):
            actions[name] = known_actions(config)
        found.extend(problems)
    silent = {name for name, config in configs.items() if not shows_life(config)}
    return [*found, *check_services(plan, actions), *check_heartbeats(plan, silent)]
