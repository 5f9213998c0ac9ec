"""What is wrong with files as SARIF 2.1.0, which code scanners and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from wfrun import __version__
from wfrun.cli.render.problems import Found
from wfrun.core.plan.lint import RULES, Rule
from wfrun.errors import Problem

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

# What codes without an entry of their own in RULES are about, by the word they begin with.
_FAMILIES = {
    "yaml": "The file is YAML that can be read, and means one thing.",
    "json": "The file is JSON that can be read, and means one thing.",
    "schema": "The file has the shape of a workflow or of services: keys, types, words.",
    "field": "Declared fields are JSON Schema, and values are as they are declared.",
    "plan": "Names, keys, times and steps of a workflow fit each other.",
    "expression": "Expressions and paths can be read, and have a value.",
    "python": "Modules of services can be read as Python.",
    "service": "Services can be reached with what the file says of them.",
    "workflow": "Workflows that are run as steps are there, and fit.",
}
_ANY = "What wfrun finds wrong with a workflow."


def log(found: Found) -> dict[str, Any]:
    """One run over all files."""
    problems = {(file, problem): None for file, each in found.items() for problem in each}
    placed = dict.fromkeys((problem.place.file or file, problem) for file, problem in problems)
    codes = sorted({problem.code for _, problem in placed})
    results = [_result(problem, file, codes.index(problem.code)) for file, problem in placed]
    driver = {"name": "wfrun", "semanticVersion": __version__, "rules": [*map(_rule, codes)]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def rule_of(code: str) -> Rule:
    about = _FAMILIES.get(code.partition(".")[0], _ANY)
    return RULES.get(code) or Rule(about, f"{about} Each finding says where it does not, and what to write instead.")


def _rule(code: str) -> dict[str, Any]:
    rule = rule_of(code)
    level = "warning" if code in RULES else "error"
    return {
        "id": code,
        "shortDescription": {"text": rule.about},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": level},
    }


def _result(problem: Problem, file: str, index: int) -> dict[str, Any]:
    hint = f"\n{problem.hint}" if problem.hint else ""
    return {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": problem.severity,
        "message": {"text": problem.message + hint},
        "locations": [_location(problem, file)],
    }


def _location(problem: Problem, file: str) -> dict[str, Any]:
    place = problem.place
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if place.line:
        physical["region"] = {"startLine": place.line, "startColumn": max(place.column, 1)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.path:
        location["logicalLocations"] = [{"fullyQualifiedName": place.path}]
    return location


def _uri(file: str) -> str:
    """Relative as it was given, so that it fits a checkout elsewhere; RFC 3986."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
