"""Performing what an execution has to do with others: running children, undoing them, publishing events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from wfrun.core.effects import Publish, RecallChild, StartChild
from wfrun.core.events import Event, Record
from wfrun.engines.local.others import ChildEnd, Others
from wfrun.errors import WfrunError


class Errands:
    """Each outcome is handed to `answer(effect id, event)`. One that only leads to waiting ends with `wake()`."""

    def __init__(self, others: Others | None, answer: Callable[[str, Event], None], wake: Callable[[], None]) -> None:
        self._others = others
        self._answer = answer
        self._wake = wake
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way)

    def begin(self, effect: StartChild | RecallChild | Publish, recorded: Record) -> None:
        """Perform an effect whose intent is the `recorded` fact. All of them can be begun again."""
        if self._others is None:
            raise RuntimeError("this execution has been given no others")
        errand = self._publish if isinstance(effect, Publish) else self._run_child
        self._under_way[effect.id] = asyncio.ensure_future(self._until_done(effect.id, errand(effect, recorded)))

    def stop(self, id: str, recorded: Record | None) -> None:
        """Cancel the child of an effect; it is answered when the child has ended."""
        if self._others is None or recorded is None:
            return
        try:
            self._others.cancel(recorded["child"])
        except WfrunError as error:
            self._answer(id, _ended(recorded, _refused(error)))
            return
        if id not in self._under_way:
            self._under_way[id] = asyncio.ensure_future(self._until_done(id, self._drive(id, recorded)))

    async def leave(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _until_done(self, id: str, errand: Coroutine[Any, Any, None]) -> None:
        try:
            await errand
        finally:
            self._under_way.pop(id, None)
            self._wake()

    async def _publish(self, effect: StartChild | RecallChild | Publish, recorded: Record) -> None:
        assert self._others is not None
        reached = await self._others.publish(recorded["event"])
        self._answer(effect.id, {"type": "event.published", "step": effect.step, "reached": reached})

    async def _run_child(self, effect: StartChild | RecallChild | Publish, recorded: Record) -> None:
        assert self._others is not None
        try:
            if recorded["type"] == "child.recalled":
                self._others.recall(recorded["child"])
            else:
                self._others.create(recorded)
        except WfrunError as error:
            self._answer(effect.id, _ended(recorded, _refused(error)))
            return
        if recorded.get("detach"):
            self._answer(effect.id, _ended(recorded, {"status": "completed"}))
        else:
            await self._drive(effect.id, recorded)

    async def _drive(self, id: str, recorded: Record) -> None:
        assert self._others is not None
        try:
            end = await self._others.drive(recorded["child"])
        except WfrunError as error:
            end = _refused(error)
        if end is not None:
            self._answer(id, _ended(recorded, end))


def _ended(recorded: Record, end: ChildEnd) -> Event:
    return {"type": "child.ended", "step": recorded["step"], "child": recorded["child"], **end}


def _refused(error: WfrunError) -> ChildEnd:
    """A child that could not even be begun, or be driven any further."""
    return {"status": "failed", "error": {"type": error.code, "message": error.message}}
