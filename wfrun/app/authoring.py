"""Use cases around a workflow file: check it, begin one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from wfrun.adapters.registry import LOCAL
from wfrun.app.files import read_file
from wfrun.app.workflows import examine_workflow
from wfrun.errors import ConflictError, InvalidError, NotFoundError, Problem, bounded
from wfrun.resources import resource

_STARTER_SUFFIXES = (".yaml", ".json", ".py")


def validate(workflow: str, *, services: str | None) -> list[Problem]:
    """Every problem of a workflow, its plan and its services; those of severity `warning` are advice.

    What only this machine lacks is advice, too: the workflow may be meant to run on another.
    """
    try:
        return bounded(_as_advice(examine_workflow(workflow, services).problems))
    except InvalidError as invalid:
        return _as_advice(invalid.problems)


def lint(workflow: str, *, services: str | None) -> list[Problem]:
    """What `validate` says, and beyond that the advice of the rules in wfrun.core.plan.lint.

    Workflows that this one runs as steps are checked, too, but the advice is about this one.
    """
    from wfrun.core.plan.lint import lint as advice

    try:
        found = examine_workflow(workflow, services)
    except InvalidError as invalid:
        return _as_advice(invalid.problems)
    more = _secrets_of(services) if services is not None else []
    return bounded([*_as_advice(found.problems), *advice(found.plan), *more])


def counts_as_advice(problem: Problem) -> bool:
    """Whether a warning is about the workflow: what only this machine lacks is none that its author could follow."""
    return problem.severity == "warning" and problem.code not in LOCAL


def _as_advice(problems: Sequence[Problem]) -> list[Problem]:
    return [each._replace(severity="warning") if each.code in LOCAL else each for each in problems]


def _secrets_of(services: str) -> list[Problem]:
    from wfrun.core.plan.lint import secrets
    from wfrun.load.definition import examine_services

    try:
        return secrets(examine_services(read_file(services, "the services file"), services)[0])
    except InvalidError:
        return []  # which `validate` has told


def init(folder: str) -> list[Path]:
    """Write a commented workflow to start from. Raises ConflictError rather than overwrite anything."""
    target = Path(folder)
    template = resource("workflows", "starter")
    names = _files_of(template)
    for name in names:
        if (target / name).exists():
            raise ConflictError("init.exists", f"{target / name} is there already", hint="choose an empty folder")
    try:
        return [_copy(template / name, target / name) for name in names]
    except OSError as error:
        raise NotFoundError("file.unwritable", f"cannot write to {target}: {os.strerror(error.errno or 0)}") from None


def _files_of(template: Path) -> list[Path]:
    """Relative paths. Installers compile what they install, and that is not part of a starter."""
    names = (path.relative_to(template) for path in template.rglob("*") if path.suffix in _STARTER_SUFFIXES)
    return sorted(names)


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, target))
