"""Repairs of executions: what somebody can do about one that went wrong, and what follows from it. Nothing is written.

    resume        what failed is tried again, and what was stopped because of it goes on
    replace       the same with another workflow, as far as everything that is done would come out the same
    skip          a step counts as done, with an output or without; or what should be undone before it goes on stays
    set-output    a step counts as completed, with this result
    set-input     a step runs again, called with this
    rewind        a step runs again, and what comes after it
    compensate    what came after a step is undone, and the execution waits

What is done and runs again is undone first, last completed first, unless it is to be kept as it is. Whatever the
action, a failure that ended the execution counts no more: what failed is tried again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from wfrun.core.effects import CallService
from wfrun.core.expression import MISSING, Missing
from wfrun.core.plan.nodes import Plan, Task
from wfrun.core.repair_history import (
    COMPENSATE,
    DEADLINE,
    amendments,
    completed_child,
    dropped_by,
    effective,
    has_failed,
    has_passed,
    has_succeeded,
    held_back,
    in_force,
    instance_of,
    is_timeout,
    never_called,
    undone_by,
)
from wfrun.core.repair_proposal import ANEW, Proposal
from wfrun.core.repair_refusals import (
    Wish,
    done_already,
    gone_on_without,
    misfits,
    nobody_knows,
    not_in_the_way,
    passed_pivot,
    refusals,
    running_children,
    stopped_at_once,
    unheard,
)
from wfrun.core.repair_timers import deadline_of, put_off, timed_anew
from wfrun.core.repair_trial import (
    Places,
    Trial,
    asks_the_same,
    children_begun,
    going_on,
    steps_pending,
    stop_unbegun,
)
from wfrun.core.run import Run
from wfrun.core.values import Json
from wfrun.errors import Problem

if TYPE_CHECKING:
    from wfrun.core.events import Record, Repair

# These go on from where the execution stopped, and concern no step in particular.
_GOING_ON = ("resume", "replace")


def propose(
    run: Run,
    action: Repair,
    *,
    now: datetime,
    step: str | None = None,
    value: Json | Missing = MISSING,
    keep: bool = False,
    replacement: Plan | None = None,
    driven: bool = False,
) -> Proposal:
    """Work out a repair of the execution that `run` has folded.

    `step` is a step or a block: `ship`, or one iteration of it, `ship@3`; `resume` and `replace` take none. `value` is
    the output or the input. `keep`: nothing is undone. `replacement`: the plan to go on with. `driven` says that a
    process is at it right now, so that a call without an answer is one that is still out. `now` tells whether the whole
    workflow's time is over.
    """
    wish = Wish(action, None if action in _GOING_ON else step, value, keep, replacement)
    case = _Case(run, wish, now)
    reasons = refusals(run, wish, case.places, case.known, driven=driven)
    return Proposal(wish, reasons=tuple(reasons)) if reasons else case.proposal()


class _Case:
    """One wish about one execution. `known` are the instances that it can be about."""

    def __init__(self, run: Run, wish: Wish, now: datetime) -> None:
        self.places = Places(run.plan)
        self._run = run
        self._wish = wish
        self._now = now
        history = effective(run.records)
        deadline = [record for record in history if record.get("timer") == DEADLINE]
        self._late = deadline if has_passed(deadline, now) else []
        self._history = [record for record in history if record not in self._late] if self._late else history
        self._amended = amendments(run.records)
        self._amended.rounds = run.interpreter.amended.rounds
        self._stopped = run.ended is not None or run.is_paused
        # What turned out to come out differently, what somebody had begun to undo, and what lies ahead once more.
        self._stale: set[str] = set()
        self._taken_back: set[str] = set()
        self._ahead: set[str] = set()
        seen = {each for record in self._history if (each := instance_of(record)) is not None}
        seen |= self._amended.outputs.keys() | steps_pending(run)
        self._instances = {each for each in seen if not each.startswith(COMPENSATE)}
        self.known = self._instances | {each.partition("@")[0] for each in self._instances} | self._around()
        self._targets = self.places.all_in(wish.step, self._instances) if wish.step is not None else set()

    def _around(self) -> set[str]:
        """A block has run if something inside it has."""
        step = self._wish.step
        return {step} if step is not None and any(self.places.holds(step, each) for each in self._instances) else set()

    def proposal(self) -> Proposal:
        reasons: list[Problem] = []
        match self._wish.action:
            case "replace":
                trial, reasons = self._replaced()
            case "compensate":
                trial, reasons = self._cut_off()
            case action:
                if action in ("skip", "set-output") and not self._lets_stand():
                    reasons = list(self._not_in_the_way())
                self._amend()
                judged = action in ("skip", "set-output")
                trial = self._settled(self._failing() | self._targets, judged=judged)
        return self._proposal(trial, reasons)

    def _not_in_the_way(self) -> Iterator[Problem]:
        """What somebody has cancelled does not stand still because of a step, unless that had failed before."""
        cancelled = [record for record in self._history if record["type"] == "cancel.requested"]
        failed = self._targets & self._failing() or has_failed(filter(self._is_target, self._history))
        failed = failed or any(map(self._is_target, unheard(self._run)))
        if cancelled and not failed and not self._targets & steps_pending(self._run):
            yield not_in_the_way(str(self._wish.step), cancelled[-1])
        elif self._wish.action == "skip":
            yield from self._gone_past()

    def _gone_past(self) -> Iterator[Problem]:
        """It is not in the way if, merely resumed, the execution would not come back to it."""
        step = str(self._wish.step)
        resumed = _Case(self._run, Wish("resume"), self._now)
        trial = resumed.resumed()
        over = [record for record in trial.kept if record["type"] != "decision.made" and self._is_target(record)]
        given = {each for each, given in resumed._amended.outputs.items() if not given.skipped}
        unfinished = steps_pending(trial.run) | {str(instance_of(record)) for record in trial.dropped}
        again = trial.run.interpreter.failure  # what fails at once, like a loop that has had enough iterations
        unfinished |= again.steps if again is not None else set()
        if not (over or self._targets & given) or self._targets & unfinished:
            return
        if has_succeeded(over, besides=trial.without_harm(step)):
            yield done_already(step)
            return
        for race in self.places.races(step):
            if not any(self.places.holds(race, each) for each in unfinished):
                yield gone_on_without(step, race)

    def resumed(self) -> Trial:
        return self._settled(self._failing())

    def _is_target(self, record: Record) -> bool:
        return instance_of(record) in self._targets

    # ---- what is left

    def _amend(self) -> None:
        wish = self._wish
        if wish.action in _GOING_ON:
            return
        self._amended.forget(self._targets, but_inputs=wish.keep)
        child = completed_child(self._run.records, wish.step)
        self._amended.take({"action": wish.action, "step": wish.step, "value": wish.value}, child)

    def _failing(self) -> set[str]:
        """What ended the execution. If it was the undoing of a step, that is tried again, unless more is changed."""
        failure = self._run.interpreter.failure
        if failure is None or not self._stopped:
            return set()
        if self._wish.action in _GOING_ON or self._lets_stand():
            return failure.steps
        return {inside for each in failure.steps for inside in self._all_of(each)}

    def _lets_stand(self) -> bool:
        return self._wish.step is not None and self._wish.step.startswith(COMPENSATE)

    def _all_of(self, failed: str) -> set[str]:
        if not failed.startswith(COMPENSATE):
            return {failed}
        return self.places.all_in(undone_by(failed), self._instances)

    def _settled(self, aside: Iterable[str], *, judged: bool = False) -> Trial:
        """Fold, and fold again with all that turns out not to count either, until nothing does."""
        known = set(aside)
        while True:
            trial = self._trial(known, judged=judged).fold(self._history)
            undone = trial.undone()
            self._stale |= {change.record["step"] for change in trial.changed}
            self._taken_back |= undone | self._run.interpreter.may_be_undone
            for each in undone - self._targets:
                self._amended.outputs.pop(each, None)  # what was done by hand is not done any more either
            inside = (self.places.all_in(each, self._instances) for each in undone)
            found = trial.aside.union(trial.asks_otherwise(), *inside)
            if found <= known:
                return trial
            known |= found

    def _trial(self, aside: set[str], *, judged: bool = False) -> Trial:
        in_turn = self._wish.action in ("rewind", "compensate")
        return Trial(
            self._run.plan, self._amended, self._run.stopped, aside, self.places, judged=judged, in_turn=in_turn
        )

    def _cut_off(self) -> tuple[Trial, list[Problem]]:
        """What rewinding to the step would leave, and the step itself."""
        rewound = self._rewound()
        self._ahead = self._amended.told() - rewound.reached() - self._targets
        self._amended.forget(self._ahead)
        # What was undone in it because it did not count stays undone.
        after = {each["seq"] for each in rewound.dropped if undone_by(instance_of(each) or "") not in self._targets}
        trial = self._trial(set()).fold(record for record in self._history if record["seq"] not in after)
        trial.dropped += [record for record in self._history if record["seq"] in after]
        withdrawn = {self._wish.step} & {
            undone_by(each) for each in trial.reached() if each and each != undone_by(each)
        }
        if self._targets & (steps_pending(trial.run) | self._failing() | trial.undone() | withdrawn):
            return trial, [Problem("repair.not-completed", f"{self._wish.step!r} has not completed, or was undone")]
        return trial, []

    def _rewound(self) -> Trial:
        """What would be left if the step were to run, even if somebody has said what it comes to."""
        outputs = self._amended.outputs
        said = {each: outputs.pop(each) for each in self._targets & outputs.keys()}
        rewound = self._settled(self._failing() | self._targets)
        outputs |= said
        return rewound

    def _replaced(self) -> tuple[Trial, list[Problem]]:
        plan = self._wish.replacement
        assert plan is not None
        before = self.resumed()
        places = Places(plan)
        tried: set[str] = set()
        while True:
            trial = Trial(plan, self._amended, self._run.stopped, tried, places, judged=True).fold(before.kept)
            # What another block made up for, or a handler, may be what the new file fails with: it is tried again, too.
            failing = trial.run.interpreter.failure
            again = trial.asks_otherwise() | (failing.steps if failing is not None else set())
            if again <= tried:
                break
            tried |= again
        reasons = misfits(trial, steps_pending(before.run), plan, places)
        self._stale |= {change.record["step"] for change in trial.changed}
        trial.dropped += [*before.dropped, *put_off(trial, self._now)]
        return trial, reasons

    # ---- what follows

    def _proposal(self, trial: Trial, reasons: list[Problem]) -> Proposal:
        anew = timed_anew(trial) if self._stopped else ()
        dropped = {record["seq"]: record for record in [*trial.dropped, *self._late, *anew]}
        undo = self._undo(trial, reasons)
        reasons += running_children(self._run, dropped)
        reasons += nobody_knows(self._run, trial.run, self._wish, undo, dropped)
        forgotten = list(self._forgotten(trial))
        dropped |= {request["seq"]: request for request in forgotten}
        dropped |= {started["seq"]: started for started in never_called(self._history, dropped)}
        seqs = sorted(dropped)
        taken_back = [*(dropped[seq] for seq in seqs), *held_back(self._run.records)]
        reached = list(self._again(trial, taken_back, {request["step"] for request in forgotten}))
        said_now = self._targets if self._wish.action == "set-output" else ()
        stays, deadline = trial.done(), deadline_of(trial, dropped)
        if self._wish.action in ("rewind", "set-input"):
            reasons += stopped_at_once(trial.run, self._wish, self.places, self._targets)
        begun = children_begun(trial.run, self._run.interpreter.amended.asked)
        children = {step: child for step, child in begun if step not in undo}
        # Only to see what comes of it: nothing that is recorded depends on this.
        not_begun = stop_unbegun(trial.run)
        again = tuple(each for each in reached if each not in not_begun)
        lost = tuple(each for each in trial.run.interpreter.undoing if each not in undo)
        kept = tuple(each for each in stays if each not in lost and each not in said_now)
        return Proposal(self._wish, tuple(seqs), tuple(undo), lost, again, kept, deadline, children, tuple(reasons))

    def _undo(self, trial: Trial, reasons: list[Problem]) -> list[str]:
        """What is undone first. Whatever is to be kept, what somebody had begun to undo is undone to its end."""
        undone = self._undone(trial)
        begun = [each for each in undone if each in self._taken_back]
        if self._wish.keep:
            return begun
        if not self._run.interpreter.has_passed_pivot:
            return undone
        if not self._stays().issuperset(set(undone) - set(begun)):
            reasons.append(passed_pivot())
        return begun

    def _stays(self) -> set[str]:
        """What stays behind a point of no return although it is run again, or skipped, as no wish of its own: what came
        after a failure, in a `finally`, and what is tried again. To run what is done with another input is one.
        """
        match self._wish.action:
            case "rewind" | "compensate":
                return set()
            case "skip":
                return self._set_aside_by_a_resume() | self._targets
            case "set-input":
                return self._set_aside_by_a_resume() - self._targets
        return self._set_aside_by_a_resume()

    def _set_aside_by_a_resume(self) -> set[str]:
        case = _Case(self._run, Wish("resume"), self._now)
        return set(case._undone(case.resumed()))

    def _undone(self, trial: Trial) -> list[str]:
        """What was done, or may have been, and is not any more, last completed first."""
        done = self._run.interpreter.undos | self._run.unsettled()
        kept = trial.run.interpreter.undos.keys() | self._amended.waived | going_on(trial.run)
        if self._wish.action == "set-output":
            kept -= self._targets & self._run.interpreter.may_be_undone  # what it was, and not what it is said to be
        return [each for each in reversed(done) if each not in kept and not self._is_tried_again(each, trial)]

    def _is_tried_again(self, step: str, trial: Trial) -> bool:
        """A call of which nobody knows how it ended is repeated under its key, if it is repeated as it was."""
        done = self._run.interpreter.undos.get(step)
        if (done is not None and done.result) or step in self._targets | self._stale | self._taken_back:
            return False
        if self._wish.action == "compensate":
            return False  # it is held there
        pending = trial.run.pending.values()
        return any(
            isinstance(each, CallService) and each.step == step and self._asks_the_same(each) for each in pending
        )

    def _asks_the_same(self, call: CallService) -> bool:
        """If not it would be another request, and nobody would come back to what the last one has done."""
        asked = [each for each in self._run.records if each["type"] == "step.started" and each["step"] == call.step]
        fresh = call.prepare()[0]
        return bool(asked) and asks_the_same(fresh, asked[-1])

    def _again(self, trial: Trial, dropped: Iterable[Record], forgotten: Container[str]) -> Iterator[str]:
        """Without what is inside a block that counts as done, and without handlers of errors that have not come."""
        given = {each for each in self._amended.outputs if each not in forgotten or each in self._targets}
        pending = steps_pending(trial.run)
        for instance in dict.fromkeys(str(instance_of(record)) for record in dropped if not is_timeout(record)):
            if instance.startswith(COMPENSATE) or not isinstance(self.places.step(instance), Task):
                continue
            if any(self.places.holds(each, instance) for each in given):
                continue
            if instance in pending or instance.partition("@")[0] not in self.places.handling:
                yield instance

    def _forgotten(self, trial: Trial) -> Iterator[Record]:
        """Earlier repairs of steps that run again, or have not been reached again: what they said was about then."""
        reached = trial.reached()
        changed = self._targets if self._wish.action != "compensate" else set()
        repairs = list(in_force(self._run.records))
        gone = dropped_by(repairs)
        for request in (request for request, _ in repairs if request["seq"] not in gone):
            step = request.get("step")
            if step is not None and step.startswith(COMPENSATE):
                step = undone_by(step)
                counts = step in trial.run.interpreter.waived
            elif request["action"] in ("skip", "set-output"):
                counts = step in trial.run.interpreter.given
            elif request["action"] == "set-input":
                counts = step in reached
            else:
                continue
            if (step in changed and not self._stays_given(request)) or step in self._ahead or not counts:
                yield request

    def _stays_given(self, request: Record) -> bool:
        """What is kept is asked for once more as it was, with the input that somebody gave it."""
        return self._wish.keep and request["action"] == "set-input"


__all__ = ["ANEW", "Proposal", "Wish", "propose"]
