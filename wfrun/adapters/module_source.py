"""What the text of a Python module says of it, without running it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from wfrun.adapters.contract import ServiceConfig
from wfrun.adapters.modules import find_file, function_names, is_found, is_isolated, module_name, spellings
from wfrun.adapters.templates import Entry, place, told
from wfrun.errors import InvalidError, Place, Problem

# What is certainly no function.
_VALUES = (
    *(ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set),
    *(ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp),
)
# Whoever names one of these may define anything.
_DYNAMIC_NAMES = frozenset({"globals", "locals", "vars", "setattr", "exec", "modules"})
_DYNAMIC_ATTRIBUTES = frozenset({"__dict__", "modules"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Source(NamedTuple):
    """`names` are those that may be functions, None if only running it can tell; with a `mistake` it cannot run.

    `data` are those of them that are most likely none, by how they are written: `HERE = Path(__file__).parent`.
    """

    names: frozenset[str] | None
    data: frozenset[str] = frozenset()
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


def stated_actions(config: ServiceConfig, called: Collection[str] = ()) -> frozenset[str] | None:
    """The actions of a module that stands beside its entry; None if they cannot be told from its text.

    What is most likely data is not among them, unless it is `called`: then that is not denied.
    """
    file = find_file(config.folder, module_name(config))
    source = read_source(file) if file else Source(None)
    if source.names is None:
        return None
    spelled = {each: name for name in source.names for each in spellings(name)}
    stated = {each for each, name in spelled.items() if name not in source.data or each in called}
    return frozenset({*function_names(config), *stated})


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
        return _source_of(ast.parse(file.read_bytes()))
    except SyntaxError as error:
        place = Place(str(file), error.lineno or 0, error.offset or 0)
        return Source(None, mistake=Problem("python.syntax", f"this is not Python: {error.msg}", place))
    except (ValueError, RecursionError):
        return Source(None)


def _source_of(tree: ast.Module) -> Source:
    inside = list(_module_scope(tree))
    names = frozenset(name for node in (*inside, *_globals(tree)) for name in _bound(node))
    if "*" in names or "__getattr__" in names or _is_dynamic(tree):
        return Source(None)
    if "__all__" in names:
        return Source(_stated(tree))
    functions = frozenset(node.name for node in inside if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    values = _plain_values(inside)
    public = frozenset(name for name in names - values if not name.startswith("_"))
    return Source(public, frozenset(name for name in public - functions if name.isupper()))


def _module_scope(node: ast.AST) -> Iterator[ast.AST]:
    """What is run with the module itself: not the insides of functions and classes, nor names of comprehensions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.comprehension) and child is node.target:
            continue
        yield child
        if not isinstance(child, _SCOPES):
            yield from _module_scope(child)


def _globals(tree: ast.Module) -> Iterator[ast.Global]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Global))


def _bound(node: ast.AST) -> Iterable[str]:
    """The names that a node binds and that may be functions. Rather too many than too few.

    Not those of imports and classes: loading takes neither for an action.
    """
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
            return (name,)
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            return ("*",)
        case ast.ImportFrom(names=names) if any((each.asname or each.name) == "__all__" for each in names):
            return ("__all__",)
        case ast.Global(names=names):
            return names
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return (name,)
        case ast.ClassDef(name=name, decorator_list=[_, *_]):
            return (name,)
    return ()


def _plain_values(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that get nothing but values that are no functions."""
    bindings = Counter(name for node in nodes for name in _bound(node))
    values: Counter[str] = Counter()
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value) if isinstance(value, _VALUES):
                values.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if isinstance(value, _VALUES):
                values[name] += 1
    return {name for name, count in values.items() if count == bindings[name]}


def _is_dynamic(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in _DYNAMIC_NAMES:
                return True
            case ast.Attribute(attr=name) if name in _DYNAMIC_ATTRIBUTES:
                return True
    return False


def _stated(tree: ast.Module) -> frozenset[str] | None:
    """What `__all__` says, if it is written down once, and nothing else is done to it."""
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__all__"]
    for statement in tree.body if len(uses) == 1 else ():
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return _texts(value)
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                return _texts(value)
    return None


def _texts(value: ast.expr) -> frozenset[str] | None:
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    texts = [item.value for item in value.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return frozenset(texts) if len(texts) == len(value.elts) else None
