"""What the text of a Python module says of it, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.modules import find_file, function_names, is_found, is_isolated, module_name, spellings
from wfrun.adapters.templates import Entry, place, told
from wfrun.errors import InvalidError, Place, Problem

_VALUES = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set)


class Source(NamedTuple):
    """`names` are those that may be functions, None if only running it can tell; with a `mistake` it cannot run."""

    names: frozenset[str] | None
    mistake: Problem | None = None


def check(entry: Entry) -> Iterator[Problem]:
    """What is wrong with an entry and with the text of its module. A module that is not there is `service.module`."""
    config = entry.config
    yield from told(lambda: function_names(config))
    yield from told(lambda: is_isolated(config))
    try:
        name = module_name(config)
    except InvalidError as invalid:
        yield from invalid.problems
        return
    file = find_file(config.folder, name)
    if file is None and not is_found(config):
        hint = f"it is looked for in {config.folder}, then among what is installed"
        yield Problem("service.module", f"the module {name} is not found", place(config, "module"), hint)
    mistake = read_source(file).mistake if file is not None else None
    if mistake is not None:
        yield mistake


def stated_actions(config: ServiceConfig) -> frozenset[str] | None:
    """The actions of a module that stands beside its entry; None if they cannot be told from its text."""
    file = find_file(config.folder, module_name(config))
    names = read_source(file).names if file else None
    if names is None:
        return None
    return frozenset({*function_names(config), *(spelled for name in names for spelled in spellings(name))})


def read_source(file: Path) -> Source:
    """What the file says; of one that cannot be read, nothing."""
    try:
        stat = file.stat()
        return _read(file, stat.st_mtime_ns, stat.st_size)
    except OSError:
        return Source(None)


@lru_cache(maxsize=64)
def _read(file: Path, changed: int, size: int) -> Source:
    """Several services may be of one module, and each is asked twice: for its mistakes and for its actions."""
    try:
        return Source(_names_in(ast.parse(file.read_bytes())))
    except SyntaxError as error:
        place = Place(str(file), error.lineno or 0, error.offset or 0)
        return Source(None, Problem("python.syntax", f"this is not Python: {error.msg}", place))
    except (ValueError, RecursionError):
        return Source(None)


def _names_in(tree: ast.Module) -> frozenset[str] | None:
    names = dict(_bindings(tree.body))
    if "*" in names or "__getattr__" in names:
        return None
    stated = names.get("__all__")
    if "__all__" in names:
        return frozenset(stated) if stated is not None else None
    return frozenset(name for name in names if not name.startswith("_"))


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
