"""Use cases around a workflow file: check it, begin one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wfrun.adapters.modules import is_found
from wfrun.adapters.templates import place
from wfrun.app.workflows import Workflow, open_workflow
from wfrun.errors import ConflictError, InvalidError, NotFoundError, Problem
from wfrun.resources import resource

_STARTER_SUFFIXES = (".yaml", ".json", ".py")


def validate(workflow: str, *, services: str | None) -> list[Problem]:
    """Every problem of a workflow, its plan and its services; those of severity `warning` are advice."""
    try:
        opened = open_workflow(workflow, services)
    except InvalidError as invalid:
        return list(invalid.problems)
    return [*opened.advice, *_missing_modules(opened)]


def _missing_modules(workflow: Workflow) -> Iterator[Problem]:
    """Python services whose module is not there: advice, for it may be installed where the workflow is to run."""
    data: Any = workflow.document.data
    for name, config in workflow.services.items():
        if config.settings["adapter"] != "python" or is_found(config):
            continue
        in_document = data.get("services", {}).get(name) is config.settings
        at = workflow.document.place(("services", name, "module")) if in_document else place(config, "module")
        message = f"the module {config.settings['module']} is not found"
        hint = f"it is looked for in {config.folder}, then among what is installed"
        yield Problem("service.module", message, at, hint, "warning")


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
