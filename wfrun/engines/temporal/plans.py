"""The definitions that an execution goes by, which travel with it, and their plans."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from wfrun.core.plan import Plan, build_plan
from wfrun.errors import NotFoundError
from wfrun.load.yaml import parse_document


class Definitions:
    """By SHA-256. `carried` is what they travel as: of each its `file`, its `source` and, where its input refers to
    schemas of other files, the `input` with these in their places."""

    def __init__(self, carried: Mapping[str, Any]) -> None:
        self.carried: dict[str, Any] = dict(carried)

    def add(self, carried: Mapping[str, Any]) -> None:
        self.carried.update(carried)

    def plan(self, sha256: str) -> Plan:
        return _plan(self._entry(sha256)["source"], self.file(sha256))

    def file(self, sha256: str) -> str:
        """The path of the file that it was, where the execution was started."""
        return str(self._entry(sha256)["file"])

    def fields(self, sha256: str) -> Mapping[str, Any] | None:
        """What its input is to be, or None if it declares nothing."""
        data: Any = self.plan(sha256).document.data
        fields: Mapping[str, Any] | None = self._entry(sha256).get("input", data.get("input"))
        return fields

    def services(self, sha256: str) -> Mapping[str, Any]:
        data: Any = self.plan(sha256).document.data
        services: Mapping[str, Any] = data.get("services", {})
        return services

    def _entry(self, sha256: str) -> Any:
        if sha256 not in self.carried:
            raise NotFoundError("definition.unknown", f"the definition {sha256} does not travel with this execution")
        return self.carried[sha256]


@lru_cache(maxsize=256)
def _plan(source: str, file: str) -> Plan:
    """Many executions on a worker go by the same definition."""
    return build_plan(parse_document(source.encode(), file.rpartition("/")[2]))
