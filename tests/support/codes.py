"""The codes that stand in the source: whatever wfrun, or the sandbox of its gallery, can tell somebody.

A code is a text of dotted words (`plan.duplicate-name`). So are the types of facts, which are known from the records'
types, and the named points of a crash; what else looks like one and is none is listed here. Codes that are made of
parts are listed, too, each with what they come to. A code of one word is known by where it stands: it is the first
argument of an error, or of a function that makes one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from tests.support.shell import ROOT
from wfrun import errors
from wfrun.journal.crash import POINTS

PACKAGE = ROOT / "wfrun"
_DOTTED = re.compile(r"[a-z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9-]*)+")
_MAKERS = {"Problem", "Finding", "YamlError", *(name for name, value in vars(errors).items() if name.endswith("Error"))}

# Not codes, although they look like some.
OTHERS = {
    "index.sqlite",
    "wfrun.adapters",
    "wfrun.secrets",
    "removed.jsonl",
    "journal.schema.json",
    "execution.removed",
    "temporal.sqlite",
    "wfrun.toml",
}

# Codes that are made of parts: how they are written in the source, and what they come to.
MADE: Mapping[str, tuple[str, ...]] = {
    "{kind}.size": ("yaml.size", "json.size"),
    "{kind}.encoding": ("yaml.encoding", "json.encoding"),
    "{kind}.character": ("yaml.character",),
    "{kind}.unknown": ("definition.unknown", "blob.unknown"),
    "{kind}.damaged": ("definition.damaged", "blob.damaged"),
    "{what}.unknown": ("execution.unknown", "task.unknown"),
    "{what}.ambiguous": ("execution.ambiguous", "task.ambiguous"),
    "http.{answer.status}": ("http.<status>",),
    "shell.{finished.ending}": ("shell.exit-<code>", "shell.signal-<name>"),
    "python.{finished.ending}": ("python.exit-<code>", "python.signal-<name>"),
    "python.{name}": ("python.<exception>",),
    "workflow.{record['status']}": ("workflow.<status>",),
    "workflow.{status}": ("workflow.<status>",),
    "{self.action.system}.conflict": ("<system>.conflict",),
    "{action.system}.undone": ("<system>.undone",),
    "{action.system}.declined": ("<system>.declined",),
}
_STATUS = re.compile(r"http\.\d+")
# Codes of one word that are no argument of an error: the default of a `fail` step.
WORDS = {"failed"}


def codes_in_source() -> dict[str, str]:
    """Each code, and one place where it stands."""
    found: dict[str, str] = {}
    facts = _facts()
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        words = [(line, word) for line, word in _words(tree) if word not in {*facts, *POINTS, *OTHERS}]
        for line, code in [*_of_errors(tree), *words]:
            for each in ("http.<status>",) if _STATUS.fullmatch(code) else MADE.get(code, (code,)):
                found.setdefault(each, f"{path.relative_to(ROOT)}:{line}")
    return {**dict.fromkeys(WORDS, ""), **found}


def _facts() -> set[str]:
    """The types of records."""
    found = set()
    for path in (PACKAGE / "core" / "events").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
                found |= {str(each.value) for each in ast.walk(node.slice) if isinstance(each, ast.Constant)}
    return found


def _words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Whatever looks like a code."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            if _DOTTED.fullmatch(node.value):
                yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr) and _text(node) in MADE:
            yield node.lineno, _text(node)


def _of_errors(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What stands where a code is due, even if it does not look like one."""
    for node in ast.walk(tree):
        for each in _codes_of(node):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield each.lineno, each.value
            elif isinstance(each, ast.JoinedStr):
                yield each.lineno, _text(each)


def _codes_of(node: ast.AST) -> list[ast.expr]:
    """The first argument of an error, and the `type` of error data, which have a `message` beside it."""
    if isinstance(node, ast.Call) and _name(node.func) in _MAKERS:
        return node.args[:1]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        named = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        return [named["type"]] if {"type", "message"} <= named.keys() else []
    return []


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(made: ast.JoinedStr) -> str:
    """An f-string as it is written."""
    return "".join(
        f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else ast.literal_eval(part)
        for part in made.values
    )
