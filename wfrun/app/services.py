"""Which entry each service of a workflow has, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.registry import LOCAL, check_entry, known_actions, shows_life
from wfrun.app.files import read_file
from wfrun.app.variables import stated, variable
from wfrun.core.definition import Document
from wfrun.core.definition import Path as DocumentPath
from wfrun.core.plan import Plan, called, check_heartbeats, check_services
from wfrun.errors import InvalidError, Place, Problem
from wfrun.load.definition import examine_services, services_in
from wfrun.load.names import did_you_mean

Configs: TypeAlias = Mapping[str, ServiceConfig]


def configure(plan: Plan, folder: Path, override: str | None) -> tuple[Configs, list[Problem]]:
    """The definition's services, each replaced by the entry of that name in the services file, and what is wrong."""
    configs = _configs(plan.document, ("services",), folder)
    broken = _Broken.among(plan.document, ("services",))
    if override is None:
        return configs, _check(plan, configs, broken)
    try:
        document, found = examine_services(read_file(override, "the services file"), override)
    except InvalidError as invalid:
        return configs, [*invalid.problems, *_check(plan, configs, broken._replace(anything=True))]
    at = services_in(document)
    replacing = _configs(document, at, Path(override).resolve().parent)
    found += _unused(document, replacing, {*configs, *called(plan)}) if not plan.gaps else []
    broken = broken.replaced(_Broken.among(document, at), replacing)
    configs = {**configs, **replacing}
    return configs, [*found, *_check(plan, configs, broken)]


def problems_of(override: str) -> list[Problem]:
    """What is wrong with a services file, whatever it is for."""
    try:
        return examine_services(read_file(override, "the services file"), override)[1]
    except InvalidError as invalid:
        return list(invalid.problems)


def entries(document: Document) -> Configs:
    """Those of a services file, seen from the folder that it stands in."""
    return _configs(document, services_in(document), Path(document.file).resolve().parent)


class _Broken(NamedTuple):
    """Entries with something wrong in their shape: `names`. `anything`: there may be more, of any name."""

    names: frozenset[str] = frozenset()
    anything: bool = False

    @classmethod
    def among(cls, document: Document, at: DocumentPath) -> _Broken:
        gaps = document.gaps
        if any(gap[: len(at)] == at[: len(gap)] for gap in gaps.paths if len(gap) <= len(at)):
            return cls(anything=True)
        names = {str(gap[len(at)]) for gap in gaps.paths if gap[: len(at)] == at and len(gap) > len(at)}
        data: Any = document.data
        elsewhere = bool(at) and at[0] not in data and gaps.directly_in(())
        return cls(frozenset(names), elsewhere)

    def replaced(self, by: _Broken, sound: Iterable[str]) -> _Broken:
        return _Broken((self.names - {*sound}) | by.names, self.anything or by.anything)


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


def _check(plan: Plan, configs: Configs, broken: _Broken) -> list[Problem]:
    """What is wrong with the entries of services that are called; with those of others, as advice."""
    calls = called(plan)
    found: list[Problem] = []
    actions: dict[str, frozenset[str] | None] = dict.fromkeys([*configs, *broken.names])
    for name, config in configs.items():
        if name in broken.names:
            continue
        problems = check_entry(config._replace(variable=stated), calls.get(name, frozenset()))
        if name not in calls:
            problems = [each._replace(severity="warning") for each in problems if each.code not in LOCAL]
        elif not broken.anything and all(each.severity == "warning" or each.code in LOCAL for each in problems):
            actions[name] = known_actions(config, calls[name])
        found.extend(problems)
    if broken.anything:
        return found
    silent = {name for name, config in configs.items() if not shows_life(config)}
    return [*found, *check_services(plan, actions), *check_heartbeats(plan, silent)]
