"""Which adapter an entry of `services:` means, and the services that one engine has opened."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from wfrun.adapters.contract import Call, OpenService, Service, ServiceConfig
from wfrun.adapters.data import plain, sound
from wfrun.adapters.failures import is_stop, shortage, words
from wfrun.adapters.secrets import Redactor
from wfrun.adapters.templates import Entry, place, refused
from wfrun.core.values import Json
from wfrun.errors import ExpressionError, Problem, ServiceError, WfrunError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "wfrun.adapters"

# Found without a scan of everything that is installed, which costs 40 ms.
BUILT_IN = ("python", "http", "shell", "mock")


def open_service(config: ServiceConfig) -> Service:
    """The service of an entry, opened but not reached yet. Raises InvalidError for an entry that cannot be accepted."""
    name = config.settings.get("adapter")
    if name in BUILT_IN:
        opener: OpenService = import_module(f"wfrun.adapters.{name}").open_service
        return opener(config)
    plugins = _plugins()
    if isinstance(name, str) and name in plugins:
        opener = plugins[name].load()
        return opener(config)
    raise _unknown_adapter(config, name, sorted({*BUILT_IN, *plugins}))


def _plugins() -> dict[str, EntryPoint]:
    """What is installed. A scan takes long, and thousands of services ask for it: it is made once for a search path."""
    return _installed(tuple(sys.path))


@lru_cache(maxsize=1)
def _installed(_search_path: tuple[str, ...]) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _unknown_adapter(config: ServiceConfig, name: object, known: list[str]) -> WfrunError:
    from difflib import get_close_matches

    close = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known adapters: {', '.join(known)}"
    return refused(config, "service.adapter", f"there is no adapter {name!r}", "adapter", hint=hint)


def known_actions(config: ServiceConfig, called: Collection[str] = ()) -> frozenset[str] | None:
    """The actions that a service has, without opening it; None where only a call can tell.

    What is `called`, and may be an action although it hardly looks like one, is among them.
    """
    adapter, actions = config.settings.get("adapter"), config.settings.get("actions")
    if adapter == "python":
        from wfrun.adapters.module_source import stated_actions

        return stated_actions(config, called)
    if (adapter == "mock" and "default" in config.settings) or adapter not in BUILT_IN:
        return None
    return frozenset(map(str, actions)) if isinstance(actions, Mapping) else None


def shows_life(config: ServiceConfig) -> bool:
    """Whether a service can give signs of life before its answer. HTTP cannot; what a plugin can is its own affair."""
    return config.settings.get("adapter") != "http"


def check_entry(config: ServiceConfig, actions: Collection[str]) -> list[Problem]:
    """What is wrong with an entry of which these actions are called. Nothing is reached, run or opened.

    Two of the codes are about this machine alone: `service.module` and `service.variable` (LOCAL). What a plugin makes
    of its entry is not known: its code is not loaded here.
    """
    name = config.settings.get("adapter")
    if name not in BUILT_IN:
        plugins = _plugins()
        unknown = _unknown_adapter(config, name, sorted({*BUILT_IN, *plugins}))
        return [] if name in plugins else list(unknown.problems)
    entry = Entry(config)
    found = list(import_module(_CHECKS[str(name)]).check(entry))
    return [*found, *_unset(entry, actions)]


LOCAL = ("service.module", "service.variable")

# The part of each adapter that reads its entry, without what a call needs.
_CHECKS = {
    "python": "wfrun.adapters.module_source",
    "http": "wfrun.adapters.http_request",
    "shell": "wfrun.adapters.shell_command",
    "mock": "wfrun.adapters.mock_script",
}


def _unset(entry: Entry, actions: Collection[str]) -> Iterator[Problem]:
    """Variables of the calls of these actions that are needed and not set, or that cannot be used."""
    variable = Redactor().recording(entry.config.variable)
    for path, each in dict.fromkeys(entry.variables):
        if path[0] == "actions" and path[1] not in actions:
            continue
        try:
            variable(each.kind, each.name)
        except ExpressionError as error:
            if each.optional and error.code == "expression.undefined":
                continue
            yield Problem("service.variable", error.message, place(entry.config, *path), error.hint)


class Services:
    """The services of one engine: each is opened once, by its first call, and all are closed together.

    Here every answer is made plain JSON, and no secret leaves.
    """

    def __init__(self, configs: Mapping[str, ServiceConfig]) -> None:
        self._configs = configs
        self._redactor = Redactor()
        self._opened: dict[str, Service] = {}

    async def call(self, call: Call) -> Json:
        """The result of one attempt. Raises ServiceError for every other outcome, CancelledError when it is stopped."""
        try:
            service = self._opened.get(call.service) or self._open(call.service)
            return self._redactor.json(plain(await service.call(call)))
        except BaseException as error:
            # A plugin's defect, SystemExit included, is one step's error, not the engine's end.
            if is_stop(error):
                raise
            raise self._redactor.error(sound(_outcome(call, error))) from None

    def _open(self, name: str) -> Service:
        if name not in self._configs:
            raise ServiceError("service.unknown", f"there is no service {name!r}", retryable=False)
        config = self._configs[name]
        try:
            service = open_service(config._replace(variable=self._redactor.recording(config.variable)))
        except WfrunError:
            raise
        except BaseException as error:
            message = f"the adapter of {name!r} could not be opened: {type(error).__name__}: {words(error)}"
            raise ServiceError("adapter.open", message, retryable=shortage(error) is not None) from error
        self._opened[name] = service
        return service

    async def close(self) -> None:
        """Closes all, even if closing one of them fails; the first such failure is raised at the end."""
        opened, self._opened = self._opened, {}
        failures: list[BaseException] = []
        for service in opened.values():
            try:
                await service.close()
            except BaseException as error:  # the others must be closed all the same
                if is_stop(error):
                    raise
                failures.append(error)
        if failures:
            first = failures[0]
            # SystemExit and the like would end the program, as if it were their own.
            raise first if isinstance(first, Exception) else RuntimeError(f"{type(first).__name__}: {words(first)}")


def _outcome(call: Call, error: BaseException) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, WfrunError):
        # A wrong entry, an undefined variable or an input without what a template names: no attempt can change that.
        return ServiceError(error.code, "; ".join(map(_words, error.problems)), retryable=False)
    message = f"the adapter of {call.service!r} failed: {type(error).__name__}: {words(error)}"
    return ServiceError("adapter.defect", message, retryable=shortage(error) is not None)


def _words(problem: Problem) -> str:
    where = f"{problem.place}: " if str(problem.place) else ""
    return f"{where}{problem.message}" + (f" ({problem.hint})" if problem.hint else "")
