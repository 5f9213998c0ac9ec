"""Workflows that are steps of others: which file a name stands for, and that all of them are sound.

A started execution keeps its definition as it was, and so those of its children: `links` say for the hash of each
definition which definitions its names stand for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wfrun.app.files import read_file
from wfrun.app.services import configure
from wfrun.core.definition import Document
from wfrun.core.plan import Plan, examine_plan
from wfrun.core.plan.nodes import Child, walk
from wfrun.core.values import Json
from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import examine_definition
from wfrun.load.field_types import read_field
from wfrun.load.names import did_you_mean
from wfrun.load.references import inline_references

SUFFIXES = (".yaml", ".yml", ".json")


class Links(NamedTuple):
    """`names`: hash of a definition → name as written → hash; `documents` are those that the names stand for."""

    names: dict[str, dict[str, str]]
    documents: list[Document]
    problems: list[Problem]


def link(path: Path, plan: Plan, services: str | None) -> Links:
    """Find the workflows that a plan runs as steps, and those that they run."""
    links = Links({}, [], [])
    _link(path, plan, services, links)
    return links


def _link(path: Path, plan: Plan, services: str | None, links: Links) -> None:
    names = links.names[plan.document.sha256] = {}
    for step in walk(plan.root):
        if not isinstance(step, Child) or not step.workflow:
            continue
        file = find(step.workflow, path, plan.name)
        if file is None:
            links.problems.append(_unknown(step, path, plan))
            continue
        child = plan if file == path else _read(file, services, links)
        if child is None:
            continue
        names[step.workflow] = child.document.sha256
        links.problems.extend(_fits(step, child, plan.document))


def find(name: str, beside: Path, own: str) -> Path | None:
    """The file that a name in the workflow `own`, the file `beside`, stands for.

    A workflow's own name is itself; what looks like a path is one, from the folder of the file; anything else is a file
    of that name in this folder, or in a folder of that name here or next to this one.
    """
    if name == own:
        return beside
    folder = beside.parent
    if name.endswith(SUFFIXES):
        candidates = [folder / name]
    else:
        folders = (folder, folder / name, folder.parent / name)
        candidates = [each / f"{name}{suffix}" for each in folders for suffix in SUFFIXES[:2]]
    return next((each.resolve() for each in candidates if each.is_file()), None)


def _read(file: Path, services: str | None, links: Links) -> Plan | None:
    """A child's plan, read once, with what is wrong with it and its services; none if the file says nothing."""
    try:
        written, misshapen = examine_definition(read_file(str(file), "the workflow"), str(file))
    except InvalidError as invalid:
        links.problems.extend(invalid.problems)
        return None
    document, wrong = inline_references(written)
    plan, problems = examine_plan(document)
    if document.sha256 not in links.names:
        links.documents.append(document)
        _, more = configure(plan, file.parent, services)
        links.problems.extend(each for each in (*misshapen, *wrong, *problems, *more) if each.code != "service.unused")
        _link(file, plan, services, links)
    return plan


def _unknown(step: Child, path: Path, plan: Plan) -> Problem:
    name = step.workflow
    where = f"{name} in {path.parent}" if name.endswith(SUFFIXES) else f"{name}.yaml in {path.parent} or next to it"
    place = plan.document.place((*step.path, "workflow"))
    return Problem("workflow.unknown", f"there is no workflow {name!r}", place, f"looked for {where}")


def _fits(step: Child, child: Plan, document: Document) -> Iterator[Problem]:
    """Version and input, as far as they can be told before the run."""
    gaps = child.document.gaps
    if step.version is not None and step.version != child.version and not gaps.at(("version",)):
        message = f"workflow {child.name!r} has version {child.version}, not {step.version}"
        yield Problem("workflow.version", message, document.place((*step.path, "version")))
    written: Any = document.data
    for part in step.path:
        written = written[part]
    data: Any = child.document.data
    given = written.get("input", {})
    if (
        isinstance(given, dict)
        and "input" in data
        and not (gaps.at(("input",)) or document.gaps.at((*step.path, "input")))
    ):
        yield from _input(given, data["input"], step, document)


def _input(
    given: Mapping[str, Json], declared: Mapping[str, Json], step: Child, document: Document
) -> Iterator[Problem]:
    path = (*step.path, "input")
    for name in given:
        if name not in declared:
            message = f"workflow {step.workflow!r} has no input {name!r}"
            place = document.place((*path, name), key=True)
            yield Problem("field.unknown", message, place, did_you_mean(name, declared))
    for name, field in declared.items():
        if name not in given and not read_field(field).optional:
            yield Problem("field.missing", f"workflow {step.workflow!r} needs the input {name!r}", document.place(path))
