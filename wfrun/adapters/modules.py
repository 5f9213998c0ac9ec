"""Where the functions of a Python service are: beside the file that names them, or among what is installed.

A module beside the file is loaded under a private package whose name comes from the folder, so that two workflows can
each have their own `services` package in one process. Relative imports inside it work as usual.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from itertools import product
from pathlib import Path
from types import ModuleType

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.templates import refused

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_ACRONYM = 4
_VALUES = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set)


def module_name(config: ServiceConfig) -> str:
    name = config.settings.get("module")
    if isinstance(name, str) and _MODULE.fullmatch(name):
        return name
    raise refused(config, "python.module", "the name of a Python module is needed, such as services.payment", "module")


def function_names(config: ServiceConfig) -> dict[str, str]:
    """The entry's `functions`: action to function name."""
    functions = config.settings.get("functions", {})
    if isinstance(functions, dict) and all(isinstance(n, str) and n.isidentifier() for n in functions.values()):
        return functions
    raise refused(config, "python.functions", "a mapping of action to function name is needed", "functions")


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


def stated_actions(config: ServiceConfig) -> frozenset[str] | None:
    """The actions of a module that stands beside its entry, read from its text without running it; None if unknown."""
    file = find_file(config.folder, module_name(config))
    names = _names_in(file) if file else None
    if names is None:
        return None
    return frozenset({*function_names(config), *(spelled for name in names for spelled in spellings(name))})


def _names_in(file: Path) -> set[str] | None:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    names = dict(_bindings(tree.body))
    if "*" in names or "__getattr__" in names:
        return None
    stated = names.get("__all__")
    if "__all__" in names:
        return set(stated) if stated is not None else None
    return {name for name in names if not name.startswith("_")}


def _bindings(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, list[str] | None]]:
    """Names that a module may define as functions. Rather too many than too few; `__all__` comes with its value."""
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, None
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                yield "*", None
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                yield "__all__", _texts(value)
            case ast.AugAssign(target=ast.Name(id=name)):
                yield name, None
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not isinstance(value, _VALUES):
                yield name, None
            case ast.If(body=body, orelse=other) | ast.Try(body=body, orelse=other):
                yield from _bindings([*body, *other])
            case ast.With(body=body):
                yield from _bindings(body)
    for statement in statements:
        if isinstance(statement, ast.Try):
            yield from _bindings([*statement.finalbody, *(part for h in statement.handlers for part in h.body)])


def _texts(value: ast.expr) -> list[str] | None:
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    texts = [item.value for item in value.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return texts if len(texts) == len(value.elts) else None
