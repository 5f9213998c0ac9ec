"""The journal for people: each record in words, with the time since the execution began."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wfrun.core.instants import elapsed_ms
from wfrun.views.naming import with_names
from wfrun.views.repairs import set_aside
from wfrun.views.tasks import step_of
from wfrun.views.words import describe

if TYPE_CHECKING:
    from wfrun.core.events import Record
    from wfrun.views.model import Moment


class Timeline:
    """Turns records into moments, in order; it remembers when the execution began, and what steps are called.

    `aside` are the numbers of the records that repairs have taken back, as far as is known.
    """

    def __init__(self, aside: Container[int] = ()) -> None:
        self._began: str | None = None
        self._aside = aside
        self._names: Mapping[str, str] = {}

    def begin(self, record: Record) -> str:
        """Remember when the execution began, if this is its first record, and how it calls its steps; when it began."""
        self._began = self._began or record["at"]
        self._names = record.get("names", self._names)
        return self._began

    def moment(self, record: Record) -> Moment:
        return {
            "seq": record["seq"],
            "at": record["at"],
            "offsetMs": elapsed_ms(self.begin(record), record["at"]),
            "type": record["type"],
            "step": _step(record),
            "text": describe(with_names(record, self._names)),
            "error": record.get("error"),
            "setAside": record["seq"] in self._aside,
        }


def timeline(records: Iterable[Record]) -> Iterator[Moment]:
    """The moments of records. Which of them a later repair has taken back is known of a list, not of a stream."""
    line = Timeline(set_aside(records) if isinstance(records, Sequence) else ())
    return (line.moment(record) for record in records)


def _step(record: Record) -> str | None:
    """The instance that a record is about."""
    step: str = record.get("step", "")
    if "task" in record:
        step = step_of(record["task"])
    elif record["type"] == "timer.fired":
        step = record["timer"].rpartition("!")[0].partition("#")[0]
    return step or None
