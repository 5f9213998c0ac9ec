"""Many executions of one workflow in one process: one loop, one sync for all that gathered."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import NoReturn, TypeAlias

from wfrun.app.in_force import in_force
from wfrun.app.runtime import Runtime
from wfrun.app.standing import brief_in, has_ended
from wfrun.app.starting import check_input, create, create_or_open, origin_of, runner
from wfrun.app.workflows import Workflow, keep, open_workflow, require_local
from wfrun.core.expression import DictContext, Template, TemplateError, compile_template
from wfrun.core.values import Json
from wfrun.engines.local.engine import Interrupted, LocalEngine, open_engine, run_loop
from wfrun.errors import ConflictError, ExpressionError, InvalidError, JournalError, UsageError, WfrunError
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.views.index.writer import IndexWriter
from wfrun.views.model import Summary
from wfrun.views.summary import summary_of

# What was read as one input: the number of its line, and the value or why it is none.
Line: TypeAlias = "tuple[int, Json | InvalidError]"
# What became of one line: its number, and the summary of its execution or why there is none.
Finished = Callable[[int, Summary | WfrunError], None]


@dataclass(slots=True)
class Batch:
    """One workflow, many inputs. `finished` is called for each, in the order in which they finish.

    With `name`, an execution's id is what that expression makes of its input: the same batch run again finds those that
    it had begun, leaves the ended ones alone and drives the others on.
    """

    home: Home
    workflow: Workflow
    origin: dict[str, str]
    initiator: str
    finished: Finished
    index: IndexWriter
    name: Template | None
    broken: bool = False

    async def run(self, inputs: Iterable[Line], concurrency: int) -> None:
        """After a signal nothing more is begun, and what was begun is left in order, as `interrupted`."""
        lines = iter(inputs)
        try:
            async with open_engine(self.home) as engine:
                runtime = Runtime(self.home, engine, None, park=True, services=self.origin.get("services"))
                # No more workers than lines. They begin together, so that their journals are synced together.
                begun = [chain([line], lines) for line in islice(lines, min(concurrency, sys.maxsize))]
                workers = [self._work(engine, runtime, todo) for todo in begun]
                results = await asyncio.gather(*workers, return_exceptions=True)
                await runtime.close()
        finally:
            self.index.close()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _work(self, engine: LocalEngine, runtime: Runtime, lines: Iterator[Line]) -> None:
        for number, input in lines:
            if engine.is_interrupted or self.broken:
                return
            try:
                self.finished(number, await self._one(runtime, input))
            except WfrunError as error:
                self.broken = self.broken or (isinstance(error, JournalError) and error.is_of_the_disk)
                self.finished(number, error)

    async def _one(self, runtime: Runtime, input: Json | InvalidError) -> Summary:
        values = check_input(self.workflow, input)
        journal = self._journal(values)
        if has_ended(journal.records):
            journal.close()
            return summary_of(brief_in(self.home, journal.records))
        try:
            await runtime.drive(journal, self.workflow)
            view = brief_in(self.home, journal.records)
        except Interrupted:
            view = brief_in(self.home, journal.records, driven=False)
        self.index.note(view, journal.end)
        return summary_of(view)

    def _journal(self, values: dict[str, Json]) -> Journal:
        """The journal of a new execution, or of the same one begun by an earlier batch, to be driven here."""
        if self.name is None:
            return create(self.home, self.workflow, values, self.origin, self.initiator)
        id = self._id(values)
        journal, existing = create_or_open(self.home, self.workflow, values, id, self.origin, self.initiator)
        if not existing or has_ended(journal.records):
            return journal
        if in_force(journal.records)["definition"] != self.workflow.document.sha256:
            journal.close()
            message = f"execution {id!r} was started with another version of the workflow"
            raise ConflictError("execution.version", message, hint=f"drive it on by itself: wfrun resume {id}")
        journal.drive(runner())
        return journal

    def _id(self, values: dict[str, Json]) -> str:
        assert self.name is not None
        id = self.name.resolve(DictContext(values), _Nothing())
        if not isinstance(id, str | int) or isinstance(id, bool):
            raise UsageError("batch.id", "the id of an execution must be a text or an integer", hint="see --id")
        return str(id)


def batch(
    home: Home,
    *,
    workflow: str,
    inputs: Iterable[Line],
    concurrency: int,
    services: str | None = None,
    initiator: str = "",
    id: str | None = None,
    finished: Finished,
) -> bool:
    """Run a workflow for each input, `concurrency` at a time. A refused input is told, and does not stop the rest.

    `id` is a template over the input, such as `$.order.id`: see Batch. The answer is False if nothing more was begun
    from some input on, because the state directory failed.
    """
    name = None if id is None else _id_template(id)
    opened = open_workflow(workflow, services, home)
    require_local(opened)
    keep(home, opened)
    index = IndexWriter(home, partial(Journal.read, home))
    many = Batch(home, opened, origin_of(workflow, services), initiator, finished, index, name)
    with _rare_collections():
        run_loop(many.run(inputs, concurrency))
    return not many.broken


class _Nothing:
    """The host of an id: made of the input alone, or it would be another one the next time."""

    def now(self) -> NoReturn:
        raise ExpressionError("expression.value", "an id cannot depend on the time")

    def uuid(self) -> NoReturn:
        raise ExpressionError("expression.value", "an id cannot depend on chance")

    def variable(self, kind: str, name: str) -> NoReturn:
        raise ExpressionError("expression.value", f"an id cannot depend on {kind}.{name}")


def _id_template(text: str) -> Template:
    try:
        return compile_template(text)
    except TemplateError as failed:
        error = failed.errors[0][1]
        raise UsageError("batch.id", f"--id: {error.message}", hint=error.hint or "for example '$.order.id'") from None


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
