"""What an execution did, in the words of `tests.support.outcomes`, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.support.outcomes import Made, Outcome

if TYPE_CHECKING:
    from tests.support.model.outside import Call, Task

_UNDO = "compensate:"


class Log:
    """`begun` says when attempts at calls were begun, by step and attempt.

    `notice` is told of steps that have begun, and of steps that are done.
    `ties` are things that happened at one instant, so that it may be a matter of chance which of them came first.
    """

    def __init__(self, notice: Callable[[str, str], None], clock: Callable[[], float]) -> None:
        self._notice = notice
        self._clock = clock
        self._since: dict[str, float] = {}
        self.ties: set[str] = set()
        self.outcome = Outcome("waiting", None, None, [])
        self.begun: dict[tuple[str, int], float] = {}
        self.tasks: dict[str, Task] = {}

    def _begins(self, step: str) -> None:
        self._since[step] = self._clock()
        self._notice("begun", step)

    def call(self, call: Call) -> None:
        known = self.outcome.undone if call.step.startswith(_UNDO) else self.outcome.calls
        known.append(Made(call.step.removeprefix(_UNDO), call.attempt, call.input, call.key))
        self.begun[call.step, call.attempt] = self._clock()
        self._begins(call.step)
        self.outcome.running.add(call.step)
        self.outcome.at_once = max(self.outcome.at_once, len(self.outcome.running))

    def returned(self, step: str) -> None:
        self.outcome.running.discard(step)

    def done(self, step: str) -> None:
        self._notice("done", step)

    def child_began(self, step: str) -> None:
        self._begins(step)

    def recalled(self, step: str, child: str) -> None:
        self.outcome.undone.append(Made(step, 1, None, child))

    def decided(self, decision: str, value: bool) -> None:
        self.outcome.decisions[decision] = value

    def timer(self, name: str, step: str, duration: float) -> None:
        self._begins(step)
        self.outcome.timers[name] = round(max(duration, 0) * 1000)

    def withdrawn(self, step: str) -> None:
        """Stopped, by somebody or because of something else."""
        self.outcome.stopped.add(step)
        if self._since.get(step) == self._clock():
            self.ties.add(step)

    def waits(self, step: str) -> None:
        self._begins(step)
        self.outcome.open.add(step)

    def opened(self, step: str, task: Task) -> None:
        self._begins(step)
        self.outcome.open.add(step)
        self.tasks[step] = task

    def closed(self, step: str) -> None:
        self.outcome.open.discard(step)

    def emitted(self, event: dict[str, Any]) -> None:
        self.outcome.emitted.append({"type": event["type"], "data": event["data"]})
