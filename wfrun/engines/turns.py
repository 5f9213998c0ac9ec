"""Turns of an execution: what has come back becomes facts, and what these lead to is written down before it is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wfrun.core.effects import Effect
from wfrun.core.run import Run
from wfrun.core.unknown import lost
from wfrun.engines.local.intents import Intent, make_intent
from wfrun.journal.clock import Clock

if TYPE_CHECKING:
    from wfrun.core.events import Event, Record


class Turns:
    """`add` stamps an event and keeps it as the next record. It is for the engine to make that durable."""

    def __init__(self, run: Run, add: Callable[[Event], Record], clock: Clock) -> None:
        self._run = run
        self._add = add
        self._clock = clock
        self._outcomes: deque[tuple[str, Event]] = deque()
        self._effects: deque[Effect] = deque()

    @property
    def has_outcomes(self) -> bool:
        return bool(self._outcomes)

    def answer(self, effect: str, event: Event) -> None:
        """An effect has come to something. It counts from the next turn on."""
        self._outcomes.append((effect, event))

    def fold(self, records: Iterable[Record]) -> None:
        """Records that others have made, or an earlier runner."""
        for record in records:
            self._effects.extend(self._run.apply(record))

    def fold_history(self, records: Iterable[Record]) -> None:
        """What is pending after all of these was asked for and never answered: it is to be done."""
        for record in records:
            self._run.apply(record)
        self._effects.extend(self._run.outstanding())

    def begin_again(self, effect: Effect) -> None:
        """Whoever performed it is gone."""
        self._effects.append(effect)

    def learn(self, event: Event) -> None:
        self._effects.extend(self._run.apply(self._add(event)))

    def take(self) -> list[Intent]:
        """Until nothing is left to be written down: what is then to be performed."""
        intents: list[Intent] = []
        while self._outcomes or self._effects:
            self.take_outcomes()
            if self._effects:
                intents.append(self._record_intent(self._effects.popleft()))
        return intents

    def take_outcomes(self) -> None:
        while self._outcomes:
            self._record_outcome(*self._outcomes.popleft())

    def _record_outcome(self, effect: str, event: Event) -> None:
        if event["type"] == "task.expired":
            # Judged here: somebody may have decided, or the task may have gone on to others (C12).
            if not self._run.tasks[event["task"]].is_expired(self._clock()):
                return
        elif effect not in self._run.pending:
            return
        self.learn(event)

    def _record_intent(self, effect: Effect) -> Intent:
        """Write down what is about to be attempted, unless an earlier runner did or nobody needs it any more."""
        if effect.id in self._run.recorded or effect.id not in self._run.pending or self._is_out(effect):
            return Intent(effect, None)
        effect = self._run.pending[effect.id]  # what others have said since it was asked for may have changed it
        known = lost(self._run, effect)
        intent = make_intent(effect, self._run.epoch, self._clock) if known is None else Intent(effect, known)
        if intent.event is not None:
            self.learn(intent.event)
        return intent

    def _is_out(self, effect: Effect) -> bool:
        """Whether this runner has begun the call: what it found asked for, a word may have asked for once more."""
        begun = self._run.begun.get(effect.id)
        return begun is not None and begun["epoch"] == self._run.epoch
