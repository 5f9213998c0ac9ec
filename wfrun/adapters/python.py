"""Functions of a Python module as a service: `def charge(input, call)`, plain or asynchronous."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any, TypeAlias

from wfrun.adapters.contract import Call, Service, ServiceConfig
from wfrun.adapters.data import plain
from wfrun.adapters.failures import is_stop, shortage, words
from wfrun.adapters.modules import function_names, is_isolated, load, module_name, public_names, spellings
from wfrun.adapters.threads import Threads
from wfrun.core.values import Json
from wfrun.errors import ServiceError

Function: TypeAlias = Callable[..., Any]
Handler: TypeAlias = Callable[[Json, Call], Awaitable[Any]]


def open_service(config: ServiceConfig) -> Service:
    """Settings: `module`; `functions` (action to function name); `isolate: true` for a process per call."""
    module_name(config)
    function_names(config)
    if is_isolated(config):
        from wfrun.adapters.isolated import IsolatedService

        return IsolatedService(config)
    return PythonService(config)


class PythonService:
    """Asynchronous functions run in the event loop, others in threads. The module is imported by the first call."""

    def __init__(self, config: ServiceConfig) -> None:
        self._config = config
        self._threads = Threads(f"wfrun-{config.name}")
        self._functions: dict[str, Function] | None = None
        self._handlers: dict[str, Handler] = {}

    async def call(self, call: Call) -> Json:
        handler = self._handlers.get(call.action) or self._handler(call.action)
        try:
            # The function gets a copy: what it does to its input must not change the execution's data.
            return await handler(plain(call.input), call)  # type: ignore[no-any-return]
        except ServiceError:
            raise
        except BaseException as error:
            # Also SystemExit and the like, which would end the event loop, and with it all other executions.
            if is_stop(error):
                raise
            raise as_service_error(error, self._config.folder) from error

    def _handler(self, action: str) -> Handler:
        if self._functions is None:
            self._functions = load_functions(self._config)
        handler = self._handlers[action] = self._bind(find_function(self._config, self._functions, action))
        return handler

    def _bind(self, function: Function) -> Handler:
        wants_call = takes_call(function)
        if inspect.iscoroutinefunction(function):
            return function if wants_call else lambda input, call: function(input)

        async def in_thread(input: Json, call: Call) -> Any:
            result = await self._threads.run(function, *((input, call) if wants_call else (input,)))
            return await result if inspect.isawaitable(result) else result

        return in_thread

    async def close(self) -> None:
        self._threads.close()


def load_functions(config: ServiceConfig) -> dict[str, Function]:
    """Action to function. Raises ServiceError `python.import` if the module cannot be imported or lacks a function."""
    name = module_name(config)
    try:
        module = load(config.folder, name)
    except BaseException as error:
        raise _import_error(config, name, error) from error
    functions = {spelled: getattr(module, public) for public in public_names(module) for spelled in spellings(public)}
    return functions | {action: _named(module, name, public) for action, public in function_names(config).items()}


def _import_error(config: ServiceConfig, module: str, error: BaseException) -> ServiceError:
    message = f"the module {module} could not be imported: {type(error).__name__}: {words(error)}"
    if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
        message += f" (it is looked for in {config.folder} first; modules there import each other by `from . import …`)"
    retryable = shortage(error) is not None
    return ServiceError("python.import", message, details=_where(error, config.folder), retryable=retryable)


def _named(module: ModuleType, name: str, function: str) -> Function:
    found = getattr(module, function, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    raise ServiceError("python.function", f"the module {name} has no function {function}", retryable=False)


def find_function(config: ServiceConfig, functions: dict[str, Function], action: str) -> Function:
    if action in functions:
        return functions[action]
    from difflib import get_close_matches

    close = get_close_matches(action, functions, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    message = f"the module {module_name(config)} has no public function for the action {action!r}{hint}"
    raise ServiceError("python.function", message, retryable=False)


def takes_call(function: Function) -> bool:
    """Whether a function wants the call beside its input: by a second required parameter, or one named `call`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 1 and (positional[1].default is inspect.Parameter.empty or positional[1].name == "call")


def as_service_error(error: BaseException, folder: Path) -> ServiceError:
    """An exception as the error of a step: `python.<its name>`, its message, and where it was raised. No traceback."""
    cause = error.__cause__
    if isinstance(cause, StopIteration) and words(error) == "coroutine raised StopIteration":
        # Python does not let this one out of a coroutine, such as ours (PEP 479).
        error = cause
    name = type(error).__name__
    return ServiceError(f"python.{name}", words(error) or name, details=_where(error, folder))


def _where(error: BaseException, folder: Path) -> Json:
    """`{"at": "services/payment.py:12"}`: the deepest frame in the service's own folder, or else the deepest of all."""
    folder = folder.resolve()
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    own = [(file, line) for file, line in frames if Path(file).is_relative_to(folder)]
    if not frames:
        return None
    file, line = (own or frames)[-1]
    return {"at": f"{Path(file).relative_to(folder) if own else file}:{line}"}
