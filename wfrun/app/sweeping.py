"""Many executions taken up again in one process: those that a condition chooses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from wfrun.app.executions import index_of
from wfrun.app.family import bond_of, refuse_orphan, root_of
from wfrun.app.idling import idles
from wfrun.app.in_force import in_force, workflow_of
from wfrun.app.onward import Way, seen_to
from wfrun.app.repairing import prepare_resume
from wfrun.app.runtime import Runtime
from wfrun.app.standing import brief_in, has_ended, standstill
from wfrun.app.starting import runner
from wfrun.app.workflows import Workflow, require_local
from wfrun.core.values import canonical
from wfrun.engines.local.engine import Interrupted, LocalEngine, open_engine, run_loop
from wfrun.errors import JournalError, NotFoundError, WfrunError
from wfrun.journal.driver import is_driven
from wfrun.journal.failures import held
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.index.writer import IndexWriter
from wfrun.views.summary import summary_of

if TYPE_CHECKING:
    from wfrun.views.filtering import Filter
    from wfrun.views.model import Summary

# What became of an execution: its summary, or why nothing could be done about it.
Finished = Callable[[str, "Summary | WfrunError"], None]

# These are over, and `resume` leaves them as they are.
_OVER = ("completed", "compensated", "partly-compensated", "cancelled")


def chosen(home: Home, where: Filter, limit: int | None) -> list[Summary]:
    """The executions, newest first, that fit a condition and can be resumed.

    Without children that their parents do not wait for any more: these go on when their parents are resumed.
    """

    def keeps(row: Summary) -> bool:
        return row["status"] not in _OVER and where.keeps(row) and not _is_given_up(home, row)

    return index_of(home).summaries(
        status=where.status, workflow=where.workflow, limit=limit, driven=partial(is_driven, home), keep=keeps
    )


def _is_given_up(home: Home, row: Summary) -> bool:
    if row["parent"] is None:
        return False
    try:
        bond = bond_of(home, Journal.read(home, row["execution"]))
    except (NotFoundError, JournalError):
        return False
    return bond is not None and bond.ended is not None


@dataclass(slots=True)
class Sweep:
    """`finished` is called for each execution that is driven: of children that is their topmost parent."""

    home: Home
    by: str
    reason: str
    way: Way
    finished: Finished
    index: IndexWriter
    workflows: dict[str, Workflow] = field(default_factory=dict)

    async def run(self, executions: list[str], concurrency: int) -> None:
        """After a signal nothing more is begun, and what was begun is left in order, as `interrupted`."""
        groups: dict[str, list[str]] = {}
        for execution in executions:
            groups.setdefault(root_of(self.home, execution), []).append(execution)
        todo = iter(groups.items())
        try:
            async with open_engine(self.home) as engine:
                runtime = Runtime(self.home, engine, None, park=True, services=self.way.services)
                workers = [self._work(engine, runtime, todo) for _ in range(min(concurrency, len(groups)))]
                results = await asyncio.gather(*workers, return_exceptions=True)
                await runtime.close()
        finally:
            self.index.close()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _work(self, engine: LocalEngine, runtime: Runtime, todo: Iterator[tuple[str, list[str]]]) -> None:
        for root, members in todo:
            if engine.is_interrupted:
                return
            try:
                self.finished(root, await self._one(runtime, root, members))
            except WfrunError as error:
                self.finished(root, error)

    async def _one(self, runtime: Runtime, root: str, members: list[str]) -> Summary:
        if idles(self.home, root, self.home.clock()) and not any(map(self._repairs, members)):
            return summary_of(brief_in(self.home, Journal.read(self.home, root)))
        for member in members:
            if member != root and (prepared := prepare_resume(self.home, member, self.way.services)):
                prepared.record(self.by, self.reason, self.way.services)[0].close()
        journal, history = self._take(root, repair=root in members)
        try:
            await runtime.drive(journal, self._workflow(journal), history)
            view = brief_in(self.home, journal.records)
        except Interrupted:
            view = brief_in(self.home, journal.records, driven=False)
        self.index.note(view, journal.end)
        return summary_of(view)

    def _repairs(self, member: str) -> bool:
        return standstill(Journal.read(self.home, member)) in ("failed", "paused")

    def _workflow(self, journal: Journal) -> Workflow:
        """Opened once for all that started alike: each would have services of its own."""
        given = in_force(journal.records)
        key = canonical([given["definition"], journal.records[0]["definition"], given["origin"]])
        if key not in self.workflows:
            self.workflows[key] = workflow_of(self.home, journal.records, self.way.services)
        return self.workflows[key]

    def _take(self, execution: str, *, repair: bool) -> tuple[Journal, int]:
        """The journal of an execution, held for driving, with all that was to be recorded."""
        if repair and (prepared := prepare_resume(self.home, execution, self.way.services)):
            return prepared.record(self.by, self.reason, self.way.services)
        journal = Journal.open(self.home, execution)
        if is_driven(self.home, execution):
            journal.close()
            raise held(execution, journal.records)
        refuse_orphan(self.home, journal.records)
        require_local(self._workflow(journal))
        history = len(journal.records)
        journal.drive(runner())
        if has_ended(journal.records) == "needs-attention":
            with journal.turn():
                journal.add(seen_to(self.by, self.reason))
        return journal, history


def resume_all(
    home: Home, executions: list[str], *, by: str, reason: str, way: Way, concurrency: int, finished: Finished
) -> None:
    """Resume each, `concurrency` at a time. One that cannot be resumed is told, and does not stop the rest."""
    index = IndexWriter(home, partial(Journal.read, home))
    run_loop(Sweep(home, by, reason, way, finished, index).run(executions, concurrency))
