"""What became of each step, folded from an execution's records.

Forward steps and their compensations follow the same records (`step.started`, `step.completed`, …) and are told apart
by the prefix of the instance. A row starts as *pending* and is moved by `_MOVES`; what a compensation does shows on its
forward step, too. A step in a loop has one row for all its iterations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wfrun.views.iterations import ACTIVE, SETTLED, UNDER_WAY, WRONG, Change, Iterated, new_row, split_instance, time

if TYPE_CHECKING:
    from wfrun.core.events import ErrorData, Record
    from wfrun.views.model import Progress, StepStatus, StepView


COMPENSATE = "compensate:"

_MOVES: dict[str, StepStatus] = {
    "step.started": "running",
    "step.completed": "completed",
    "step.failed": "failed",
    "step.cancelled": "cancelled",
    "step.unknown": "waiting",
    "step.retried": "running",
    "evaluation.failed": "failed",
}


def step_words(step: str) -> str:
    """An instance for people: a compensation is the undoing of its step."""
    return f"undo {step.removeprefix(COMPENSATE)}" if step.startswith(COMPENSATE) else step


class Rows:
    """A row for each step, in the order in which they were planned or came."""

    def __init__(self) -> None:
        self._rows: dict[str, StepView] = {}
        self._iterated: dict[str, Iterated] = {}

    def __contains__(self, step: str) -> bool:
        return split_instance(step)[0] in self._rows

    def plan(self, step: str) -> None:
        name, iteration = split_instance(step)
        if iteration:
            self.iterated(name).plan(step)
        elif name not in self._rows:
            self._rows[name] = new_row(name)

    def replan(self, steps: Iterable[str]) -> None:
        """Other steps from now on, in this order. What has run and is not among them keeps its row, at the end."""
        before = self._rows
        self._rows = {}
        for step in steps:
            self._rows[step] = before.get(step) or new_row(step)
        self._rows |= {name: row for name, row in before.items() if name not in self._rows and row["startedAt"]}
        self._iterated = {name: found for name, found in self._iterated.items() if name in self._rows}

    def iterated(self, name: str) -> Iterated:
        """The step as one in a loop, which it is from now on."""
        found = self._iterated.get(name)
        if found is None:
            row = self._rows.setdefault(name, new_row(name))
            found = self._iterated[name] = Iterated(row)
        return found

    def change(self, step: str, change: Change, at: str, was: StepStatus = "pending") -> None:
        """Something happens to an instance. `was` is how one in a loop stood if that is not known any more."""
        if "@" in step:
            self.iterated(split_instance(step)[0]).change(step, change, at, was)
        else:
            change(self._rows.get(step) or self._rows.setdefault(step, new_row(step)))

    def status_of(self, step: str) -> StepStatus:
        name, iteration = split_instance(step)
        return self.iterated(name).status_of(step) if iteration else self._rows[name]["status"]

    def blame(self, step: str, error: ErrorData) -> None:
        name, iteration = split_instance(step)
        if iteration and name in self._iterated:
            self._iterated[name].blame(step, error)
        elif name in self._rows and self._rows[name]["status"] == "completed":
            self._rows[name]["status"], self._rows[name]["error"] = "failed", error

    def skip_pending(self) -> None:
        for name, row in self._rows.items():
            if name in self._iterated:
                self._iterated[name].skip_rest()
            elif row["status"] == "pending":
                row["status"] = "skipped"

    def stop(self, at: str) -> None:
        """Nothing is under way any more: what waited for an event or a time does not say so itself."""
        for name, row in self._rows.items():
            if name in self._iterated:
                self._iterated[name].stop(at)
            elif row["status"] in UNDER_WAY:
                move(row, "cancelled", at)

    def progress(self, *, completed: bool) -> Progress:
        """Once an execution has completed, what had failed or was cancelled on the way needs no more work, too."""
        statuses = [row["status"] for name, row in self._rows.items() if name not in self._iterated]
        done = len(statuses) if completed else sum(map(statuses.count, SETTLED))
        skipped, failed, total = statuses.count("skipped"), sum(map(statuses.count, WRONG)), len(statuses)
        for loop in self._iterated.values():
            done += loop.known if completed else sum(loop.counts[status] for status in SETTLED)
            skipped += loop.counts["skipped"]
            failed += sum(loop.counts[status] for status in WRONG)
            total += loop.known
        return {"done": done, "skipped": skipped, "failed": failed, "total": total}

    def busy(self) -> bool:
        """Whether anything is under way that has to be driven."""
        plain = (row["status"] for name, row in self._rows.items() if name not in self._iterated)
        if any(status in ("running", "retrying") for status in plain):
            return True
        return any(loop.counts["running"] or loop.counts["retrying"] for loop in self._iterated.values())

    def under_way(self) -> Iterator[str]:
        """All instances that do something or wait, also those that are not shown."""
        for name, row in self._rows.items():
            if name in self._iterated:
                yield from self._iterated[name].active()
            elif row["status"] in ACTIVE:
                yield name

    def active(self) -> list[str]:
        """The instances under way; of a loop's, a few."""
        rows = (row.get("iterations", {}).get("shown", ()) or [row] for row in self.views())
        return [row["step"] for shown in rows for row in shown if row["status"] in ACTIVE]

    def views(self) -> list[StepView]:
        """The rows with their durations, which are left to whoever looks: most records change what came before.

        A further call that undoes a step, `pay/2`, stands with the first one, as it was made before the next step's.
        """
        for iterated in self._iterated.values():
            iterated.view()
        for row in self._rows.values():
            time(row)
        first: dict[str, int] = {}
        return sorted(self._rows.values(), key=lambda row: first.setdefault(row["step"].partition("/")[0], len(first)))


class StepFold:
    """The rows of one execution's steps: `forward` in the plan's order, `undo` in the order of compensation."""

    def __init__(self) -> None:
        self.forward = Rows()
        self.undo = Rows()
        self._undoing: dict[str, tuple[StepStatus, StepStatus]] = {}  # a forward step's status before it, and now

    def plan(self, steps: Iterable[str]) -> None:
        for step in steps:
            self.forward.plan(step)

    def replan(self, steps: Iterable[str]) -> None:
        self.forward.replan(steps)

    def plan_compensations(self, steps: Iterable[str]) -> None:
        for step in steps:
            self.undo.plan(step.removeprefix(COMPENSATE))

    def expect(self, loop: str, count: int, steps: Iterable[str]) -> None:
        """A loop begins that runs these steps so often."""
        iteration = split_instance(loop)[1]
        depth = iteration.count(".") + 2 if iteration else 1
        for step in steps:
            if step in self.forward:
                self.forward.iterated(step).expect(depth, count)

    def knows(self, step: str) -> bool:
        name = step.removeprefix(COMPENSATE)
        return name in (self.forward if name == step else self.undo)

    def call(self, record: Record, was: StepStatus = "pending") -> None:
        """A record of a call: how it began, ended or was lost, or that its input could not be computed.

        `was` is how an instance that is not tried again stood before.
        """

        def change(row: StepView) -> None:
            row["attempts"] = record.get("attempt", row["attempts"])
            row["nextAttemptAt"] = None
            row["error"] = record.get("error")
            move(row, _MOVES[record["type"]], record["at"])

        again = record["type"] == "step.started" and record["attempt"] > 1
        self._change(record["step"], change, record["at"], "failed" if again else was)

    def turn(
        self, step: str, status: StepStatus, at: str, error: ErrorData | None = None, was: StepStatus = "pending"
    ) -> None:
        """A step that is no call, but asks, waits, publishes or runs an execution: it begins, or ends.

        `was` is how an instance that had ended before, and now begins again, ended.
        """

        def change(row: StepView) -> None:
            row["attempts"] = 1
            row["error"] = error
            row["nextAttemptAt"] = None
            move(row, status, at)

        self._change(step, change, at, was)

    def retry(self, step: str, due: str, at: str) -> None:
        def change(row: StepView) -> None:
            row["status"], row["nextAttemptAt"] = "retrying", due
            row["endedAt"] = None

        self._change(step, change, at, "failed")

    def give_up(self, step: str, at: str) -> None:
        """A step that waited for its next attempt is not tried again: it was part of what has been stopped."""

        def change(row: StepView) -> None:
            row["nextAttemptAt"] = None
            move(row, "cancelled", at)

        self._change(step, change, at, "failed")

    def skip(self, step: str, at: str) -> None:
        """A step's own condition was false. Blocks have no row, and which steps they hold is not known here."""

        def change(row: StepView) -> None:
            row["status"], row["endedAt"] = "skipped", at

        if step in self.forward:
            self.forward.change(step, change, at)

    def status_of(self, step: str) -> StepStatus:
        name = step.removeprefix(COMPENSATE)
        return (self.forward if name == step else self.undo).status_of(name)

    def skip_pending(self) -> None:
        """A completed execution decided against what it never reached."""
        self.forward.skip_pending()

    def blame(self, error: ErrorData) -> None:
        """The step that an execution failed with has failed, even if a person's answer seemed to complete it."""
        self.forward.blame(error.get("step", ""), error)

    def stop(self, at: str) -> None:
        """Forward, nothing goes on from here."""
        self.forward.stop(at)

    def _change(self, step: str, change: Change, at: str, was: StepStatus) -> None:
        name = step.removeprefix(COMPENSATE)
        if name == step:
            self.forward.change(step, change, at, was)
            return
        self.undo.change(name, change, at, was)
        self._mirror(name, self.undo.status_of(name), at)

    def _mirror(self, undone: str, status: StepStatus, at: str) -> None:
        """A step that could not be undone is what it was before: its effect still stands."""
        step = undone.partition("/")[0]
        if step not in self.forward:
            return
        standing = self.forward.status_of(step)
        before, was = self._undoing.get(step, (standing, standing))
        now = "compensated" if status == "completed" else "compensating" if status in ACTIVE else before
        self._undoing[step] = before, now

        def change(row: StepView) -> None:
            row["status"] = now

        self.forward.change(step, change, at, was)


def move(row: StepView, status: StepStatus, at: str) -> None:
    row["status"] = status
    row["startedAt"] = row["startedAt"] or at
    row["endedAt"] = None if status in ACTIVE else at
