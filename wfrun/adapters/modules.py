"""Where the functions of a Python service are: beside the file that names them, or among what is installed.

A module beside the file is loaded under a private package whose name comes from the folder, so that two workflows can
each have their own `services` package in one process. Relative imports inside it work as usual.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from itertools import product
from pathlib import Path
from types import ModuleType

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.templates import refused

_ACRONYM = 4


def module_name(config: ServiceConfig) -> str:
    name = config.settings.get("module")
    if isinstance(name, str) and name.isascii() and all(part.isidentifier() for part in name.split(".")):
        return name
    raise refused(config, "python.module", "the name of a Python module is needed, such as services.payment", "module")


def function_names(config: ServiceConfig) -> dict[str, str]:
    """The entry's `functions`: action to function name."""
    functions = config.settings.get("functions", {})
    if isinstance(functions, dict) and all(isinstance(n, str) and n.isidentifier() for n in functions.values()):
        return functions
    raise refused(config, "python.functions", "a mapping of action to function name is needed", "functions")


def is_isolated(config: ServiceConfig) -> bool:
    isolate = config.settings.get("isolate", False)
    if isinstance(isolate, bool):
        return isolate
    raise refused(config, "python.isolate", "true or false is needed", "isolate")


def find_file(folder: Path, module: str) -> Path | None:
    """The file of `module` in `folder`; None if there is none."""
    base = folder.joinpath(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def is_found(config: ServiceConfig) -> bool:
    """Whether there is a module for a Python service, beside its entry or among what is installed. Nothing is run."""
    module = module_name(config)
    return find_file(config.folder, module) is not None or _is_installed(module)


def _is_installed(module: str) -> bool:
    invalidate_caches()
    name, path = "", None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = _find_spec(name, path)
        if spec is None:
            return False
        # What is no package has no place to look for the next part.
        path = list(spec.submodule_search_locations or ())
    return True


def _find_spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """As importlib.util.find_spec, which would import the packages on the way to a module."""
    found = (finder.find_spec(name, path) for finder in sys.meta_path)
    return next((spec for spec in found if spec is not None), None)


def load(folder: Path, module: str) -> ModuleType:
    """Imports a module of `folder`, or an installed one. Raises whatever its import raises."""
    if find_file(folder, module) is None:
        return import_module(module)
    invalidate_caches()
    return import_module(f"{_private_package(folder.resolve())}.{module}")


def _private_package(folder: Path) -> str:
    name = f"_wfrun_{sha256(str(folder).encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def public_names(module: ModuleType) -> list[str]:
    """The functions that are actions: those of `__all__`, or those that the module itself defines.

    Not what it merely imports: `from subprocess import run` must not make an action of `run`.
    """
    stated = getattr(module, "__all__", None)
    if stated is not None:
        return [name for name in stated if callable(getattr(module, name, None))]
    return [name for name, value in vars(module).items() if _is_action(name, value, module)]


def _is_action(name: str, value: object, module: ModuleType) -> bool:
    if name.startswith("_") or not callable(value) or isinstance(value, type):
        return False
    return getattr(value, "__module__", None) == module.__name__


def spellings(function: str) -> Iterator[str]:
    """The actions that mean a function: `send_sms` is also `sendSms` and `sendSMS`."""
    yield function
    first, *words = function.split("_")
    if first and all(words):
        short = [{word.capitalize(), word.upper()} if len(word) <= _ACRONYM else {word.capitalize()} for word in words]
        yield from ("".join((first, *spelled)) for spelled in product(*short))
