"""Many executions of one workflow in one process: one loop, one sync for all that gathered."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from wfrun.adapters.registry import Services
from wfrun.app.starting import check_input, create, origin_of
from wfrun.app.workflows import Workflow, open_workflow
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.engines.local.driver import Driver
from wfrun.engines.local.engine import Interrupted, LocalEngine, open_engine
from wfrun.errors import WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.index.writer import IndexWriter
from wfrun.views.model import Summary
from wfrun.views.status import status_of
from wfrun.views.summary import summary_of

# What became of one line: its number, counted from 1, and the summary of its execution or why there is none.
Finished = Callable[[int, Summary | WfrunError], None]


@dataclass(slots=True)
class Batch:
    """One workflow, many inputs. `finished` is called for each, in the order in which they finish."""

    home: Home
    workflow: Workflow
    origin: dict[str, str]
    initiator: str
    finished: Finished
    index: IndexWriter

    async def run(self, inputs: Iterable[Json], concurrency: int) -> None:
        """After a signal nothing more is begun, and what was begun is left in order, as `interrupted`."""
        lines = iter(enumerate(inputs, 1))
        services = Services(self.workflow.services)
        try:
            async with open_engine(self.home) as engine:
                workers = [self._work(engine, services, lines) for _ in range(concurrency)]
                results = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            await services.close()
            self.index.close()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _work(self, engine: LocalEngine, services: Services, lines: Iterator[tuple[int, Json]]) -> None:
        for number, input in lines:
            if engine.is_interrupted:
                return
            try:
                self.finished(number, await self._one(engine, services, input))
            except WfrunError as error:
                self.finished(number, error)

    async def _one(self, engine: LocalEngine, services: Services, input: Json) -> Summary:
        values = check_input(self.workflow, input)
        journal = create(self.home, self.workflow, values, self.origin, self.initiator)
        driver = Driver(journal, Run(self.workflow.plan), services, engine.committer)
        try:
            await engine.drive(driver, park=True)
            view = status_of(journal.records)
        except Interrupted:
            view = status_of(journal.records, driven=False)
        self.index.note(view, journal.end)
        return summary_of(view)


def batch(
    home: Home,
    *,
    workflow: str,
    inputs: Iterable[Json],
    concurrency: int,
    services: str | None = None,
    initiator: str = "",
    finished: Finished,
) -> None:
    """Run a workflow for each input, `concurrency` at a time. A refused input is told, and does not stop the rest."""
    opened = open_workflow(workflow, services, home)
    home.write_definition(opened.document.source)
    index = IndexWriter(home, partial(Journal.read, home))
    many = Batch(home, opened, origin_of(workflow, services), initiator, finished, index)
    with _rare_collections():
        asyncio.run(many.run(inputs, concurrency))


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Thousands of small executions come and go; what was there before them needn't be looked through each time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
