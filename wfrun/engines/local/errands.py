"""Performing what an execution has to do with others: running children, undoing them, publishing events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from wfrun.core.effects import Publish, RecallChild, StartChild
from wfrun.engines.local.others import ChildEnd, Others
from wfrun.errors import JournalError, WfrunError

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record


class Errands:
    """Each outcome is handed to `answer(effect id, event)`. One that only leads to waiting ends with `wake()`.

    A child is driven as long as its parent is, also while it only waits: something may be recorded for it, or be due.
    """

    def __init__(self, others: Others | None, answer: Callable[[str, Event], None], wake: Callable[[], None]) -> None:
        self._others = others
        self._answer = answer
        self._wake = wake
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._driven: dict[str, Record] = {}
        self._parked: dict[str, Record] = {}
        self._told: set[str] = set()
        self._failure: JournalError | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way but children that only wait."""
        return any(not self._is_idle(id) for id in self._under_way)

    def check(self) -> None:
        """JournalError if the disk has failed under an errand, which is no failure of the step (C6)."""
        if self._failure is not None:
            raise self._failure

    def park(self) -> bool:
        """Have all children let go, which only wait; whether they have."""
        for id, recorded in self._driven.items():
            self._told.add(id)
            self._of_others.park(recorded["child"])
        return not self._under_way

    def go_on(self) -> None:
        """Drive the children again that were told to let go: their parent has more to do."""
        for id in [id for id in self._parked if id in self._told]:
            self._drive_again(id)

    def look(self) -> None:
        """Drive the children again that have let go by themselves, being paused, and have been repaired since."""
        for id, recorded in list(self._parked.items()):
            if self._of_others.has_changed(recorded["child"]):
                self._drive_again(id)

    def rest(self) -> None:
        """The execution only waits now."""
        if self._others is not None:
            self._others.rest()

    def begin(self, effect: StartChild | RecallChild | Publish, recorded: Record) -> None:
        """Perform an effect whose intent is the `recorded` fact. All of them can be begun again."""
        if self._others is None:
            raise RuntimeError("this execution has been given no others")
        errand = self._publish if isinstance(effect, Publish) else self._run_child
        self._begin(effect.id, errand(effect, recorded))

    def stop(self, id: str, recorded: Record | None) -> None:
        """Cancel the child of an effect; it is answered when the child has ended. One that is detached goes on."""
        if recorded is None or recorded.get("detach"):
            return
        self._parked.pop(id, None)
        try:
            if recorded["type"] == "child.started":
                self._of_others.create(recorded)  # it may have been begun in this very turn
            self._of_others.cancel(recorded["child"])
        except WfrunError as error:
            self._answer(id, _ended(recorded, _refused(error)))
            return
        if id not in self._under_way:
            self._begin(id, self._drive(id, recorded))

    async def leave(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way.values())

    @property
    def _of_others(self) -> Others:
        assert self._others is not None
        return self._others

    def _is_idle(self, id: str) -> bool:
        return id in self._driven and self._of_others.is_idle(self._driven[id]["child"])

    def _drive_again(self, id: str) -> None:
        self._told.discard(id)
        self._begin(id, self._drive(id, self._parked.pop(id)))

    def _begin(self, id: str, errand: Coroutine[Any, Any, None]) -> None:
        self._under_way[id] = asyncio.ensure_future(self._until_done(id, errand))

    async def _until_done(self, id: str, errand: Coroutine[Any, Any, None]) -> None:
        try:
            await errand
        except JournalError as error:
            self._failure = error
        finally:
            self._under_way.pop(id, None)
            self._wake()

    async def _publish(self, effect: StartChild | RecallChild | Publish, recorded: Record) -> None:
        reached = await self._of_others.publish(recorded["event"])
        self._answer(effect.id, {"type": "event.published", "step": effect.step, "reached": reached})

    async def _run_child(self, effect: StartChild | RecallChild | Publish, recorded: Record) -> None:
        try:
            if recorded["type"] == "child.recalled":
                self._of_others.recall(recorded["child"])
            else:
                self._of_others.create(recorded)
        except WfrunError as error:
            self._answer(effect.id, _ended(recorded, _refused(error)))
            return
        if recorded.get("detach"):
            self._answer(effect.id, _ended(recorded, {"status": "completed"}))
        else:
            await self._drive(effect.id, recorded)

    async def _drive(self, id: str, recorded: Record) -> None:
        self._driven[id] = recorded
        try:
            end = await self._of_others.drive(recorded["child"])
        except WfrunError as error:
            end = _refused(error)
        finally:
            del self._driven[id]
        if end is not None:
            self._answer(id, _ended(recorded, end))
        else:
            self._parked[id] = recorded


def _ended(recorded: Record, end: ChildEnd) -> Event:
    return {"type": "child.ended", "step": recorded["step"], "child": recorded["child"], **end}


def _refused(error: WfrunError) -> ChildEnd:
    """A child that could not even be begun, or be driven any further. JournalError if that is no fault of its own."""
    if isinstance(error, JournalError) and error.is_of_the_disk:
        raise error
    return {"status": "failed", "error": {"type": error.code, "message": error.message}}
