"""Use cases around a workflow file: check it, begin one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from wfrun.adapters.registry import LOCAL
from wfrun.app.workflows import examine_workflow
from wfrun.errors import ConflictError, InvalidError, NotFoundError, Problem
from wfrun.resources import resource

_STARTER_SUFFIXES = (".yaml", ".json", ".py")


def validate(workflow: str, *, services: str | None) -> list[Problem]:
    """Every problem of a workflow, its plan and its services; those of severity `warning` are advice.

    What only this machine lacks is advice, too: the workflow may be meant to run on another.
    """
    try:
        problems: Sequence[Problem] = examine_workflow(workflow, services).problems
    except InvalidError as invalid:
        problems = invalid.problems
    return [each._replace(severity="warning") if each.code in LOCAL else each for each in problems]


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
