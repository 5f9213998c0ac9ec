"""What is the same each time that it is read, compiled or checked, kept from one seed to the next: doing that again
takes longer than a run. Nothing of it is ever changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from wfrun.app import driving, workflows
from wfrun.app.checked import recall
from wfrun.app.services import Configs, configure
from wfrun.app.workflows import Workflow, open_workflow
from wfrun.core.definition import Document
from wfrun.core.plan import Plan, build_plan
from wfrun.errors import Problem
from wfrun.journal import codec, creation
from wfrun.journal.home import Home
from wfrun.journal.scan import EMPTY, Scan, scan
from wfrun.load.yaml import parse_document

MOST_JOURNALS = 100


def patches() -> list[tuple[Any, str, Callable[..., Any]]]:
    """In which module, under which name, what stands for the thing itself."""
    return [
        (codec, "_parse", lru_cache(10_000)(codec._parse)),
        (creation, "scan", known_scan),
        (workflows, "recall", _document),
        (workflows, "build_plan", _plan),
        (workflows, "configure", _configured),
        (driving, "open_workflow", _workflow),
    ]


_scans: dict[bytes, tuple[bytes, Scan]] = {}


def known_scan(raw: bytes, *, at_rest: bool = False) -> Scan:
    """A whole journal, of which the records that were found before are not looked at again: it has only grown."""
    first = raw[: raw.find(b"\n") + 1]
    before, known = _scans.get(first, (b"", Scan([], EMPTY, b"", None)))
    if not raw.startswith(before):
        before, known = b"", Scan([], EMPTY, b"", None)
    found = scan(raw, known.head, len(before), at_rest=at_rest)
    records = [*known.records, *found.records]
    if len(_scans) > MOST_JOURNALS:
        _scans.clear()
    _scans[first] = raw[: found.head.end], found._replace(records=records)
    return found._replace(records=records.copy())  # for somebody to append to


_documents: dict[bytes, Document] = {}
_plans: dict[str, Plan] = {}
_configs: dict[tuple[str, Path, str | None], tuple[Configs, list[Problem]]] = {}


def _document(home: Home, source: bytes, file: str) -> Document:
    if source not in _documents:
        _documents[source] = recall(home, source, file)
    return _documents[source]


@cache
def known_definition(source: bytes, name: str) -> Document:
    return parse_document(source, name)


def _plan(document: Document) -> Plan:
    if document.sha256 not in _plans:
        _plans[document.sha256] = build_plan(document)
    return _plans[document.sha256]


def _configured(plan: Plan, folder: Path, override: str | None) -> tuple[Configs, list[Problem]]:
    """What services there are in the simulation depends on no file and no variable."""
    what = (plan.document.sha256, folder, override)
    if what not in _configs:
        _configs[what] = configure(plan, folder, override)
    return _configs[what]


@cache
def _opened(path: str) -> Workflow:
    return open_workflow(path, None)


def _workflow(path: str, services: str | None, home: Home) -> Workflow:
    return _opened(path)
