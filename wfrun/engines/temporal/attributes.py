"""What visibility knows of an execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair

WORKFLOW = SearchAttributeKey.for_keyword("WfrunWorkflow")
VERSION = SearchAttributeKey.for_keyword("WfrunVersion")
STATUS = SearchAttributeKey.for_keyword("WfrunStatus")
ASSIGNEE = SearchAttributeKey.for_keyword_list("WfrunAssignee")
LISTENS = SearchAttributeKey.for_keyword_list("WfrunListens")


def attributes_of(first: Mapping[str, Any], status: str = "running") -> list[SearchAttributePair[Any]]:
    """Those that an execution starts with; `first` is its execution.started."""
    version = first["version"]
    return [
        SearchAttributePair(WORKFLOW, first["workflow"]),
        SearchAttributePair(VERSION, "" if version is None else str(version)),
        SearchAttributePair(STATUS, status),
        SearchAttributePair(ASSIGNEE, []),
        SearchAttributePair(LISTENS, list(first.get("listens", []))),
    ]
