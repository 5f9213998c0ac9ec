"""Whether calls were begun, answered and given up by those who could.

Whoever drives an execution begins its calls, and hears what they answer. Nobody has heard the answer to what an earlier
runner had begun: it is begun again or, if its `onCrash` says so, it fails, or somebody is asked. What somebody says of
a call counts if that was asked.
"""

from __future__ import annotations

from wfrun.core.answers import effect_of
from wfrun.core.effects import Effect
from wfrun.core.events import Record
from wfrun.core.proof_terms import Unfounded, compare
from wfrun.core.retry import UNKNOWN_OUTCOME
from wfrun.core.run import Run
from wfrun.core.unknown import lost

# The host that engines.temporal names: of those workers, a new one takes over one call, and leaves the others alone.
_WORKERS = "temporal"


class Calls:
    """What is known of those who drive `run`, as far as it has folded."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._by_workers = False
        self._begun_in: dict[str, int] = {}
        self.driven = False

    def taken_over(self, record: Record) -> None:
        """A `driver.started`."""
        self.driven = True
        self._by_workers = self._by_workers or record["host"] == _WORKERS

    def check_start(self, record: Record, effect: Effect) -> None:
        if not self.driven or record["epoch"] != self._run.epoch:
            raise Unfounded("whoever began it did not drive the execution", self._run.epoch, record["epoch"])
        if self._begun_in.get(effect.id) == record["epoch"]:
            raise Unfounded(f"{effect.id} had been begun by the same runner before")
        if (instead := self._run.recorded.get(effect.id) or lost(self._run, effect)) is not None:
            raise Unfounded(f"{effect.id} is not called again without a word", instead["type"], record["type"])
        self._begun_in[effect.id] = record["epoch"]

    def check_question(self, record: Record, effect: Effect) -> None:
        if effect.id in self._run.recorded or self._is_heard(effect):
            raise Unfounded(f"there was no reason to ask what became of {effect.id}")
        compare({**(lost(self._run, effect) or {})}, record)

    def check_answer(self, record: Record, effect: Effect) -> None:
        """Of a call that had been begun."""
        asked = effect.id in self._run.recorded
        if "by" in record:
            self._check_word(record, asked)
        elif asked:
            raise Unfounded(f"somebody was asked what became of {effect.id}: no answer can have come")
        elif not self._is_heard(effect) and not self._by_workers:
            self._check_loss(record, effect)

    def check_stop(self, record: Record, effect: Effect) -> None:
        """Only whoever has begun a call can know that it was not made."""
        if "begun" in record and effect.id in self._run.begun and not self._is_heard(effect) and not self._by_workers:
            raise Unfounded("an earlier runner had begun it")

    def _is_heard(self, effect: Effect) -> bool:
        """Whether those who drive now have begun the call."""
        begun = self._run.begun.get(effect.id)
        return self.driven and begun is not None and begun["epoch"] == self._run.epoch

    def _check_word(self, record: Record, asked: bool) -> None:
        if not asked:
            raise Unfounded(f"nobody was asked what became of {effect_of(record)}")
        if record["type"] == "step.failed":
            compare({"type": UNKNOWN_OUTCOME}, {"type": record["error"]["type"]})

    def _check_loss(self, record: Record, effect: Effect) -> None:
        instead = lost(self._run, effect)
        if instead is None or instead["type"] != record["type"]:
            raise Unfounded(f"whoever had begun {effect.id} did not drive the execution any more")
        compare({"type": UNKNOWN_OUTCOME}, {"type": record["error"]["type"]})
