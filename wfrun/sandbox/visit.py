"""How one call goes: into the ledger, through the faults, at most one effect for its key, and the answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wfrun.errors import ServiceError
from wfrun.sandbox.call import Action, Call, Caller, Fields, invalid
from wfrun.sandbox.faults import AFTER, BEFORE, WITHIN, Fault, strike
from wfrun.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Visit:
    store: Store
    db: sqlite3.Connection
    action: Action
    given: object
    caller: Caller

    def perform(self, rules: Callable[[sqlite3.Connection], list[Fault]]) -> dict[str, Any]:
        entry, nth = self._enter()
        try:
            faults = [fault for fault in rules(self.db) if fault.hits(self.action, nth)]
            strike(BEFORE, faults, self.action)
            result = self._once(entry, faults)
            strike(AFTER, faults, self.action)
        except BaseException as error:
            with self.store.transaction(self.db):
                self._note(entry, error.type if isinstance(error, ServiceError) else type(error).__name__)
            raise
        return result

    def _enter(self) -> tuple[int, int]:
        """The entry's number in the ledger, and the how-manieth call with this key it is, from 1."""
        action, caller = self.action, self.caller
        row = (_now(), action.system, action.name, caller.idempotency_key, caller.execution, caller.step)
        sql = "INSERT INTO calls VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
        same = "SELECT count(*) FROM calls WHERE system = ? AND action = ? AND key = ?"
        with self.store.transaction(self.db):
            entry = self.db.execute(sql, (*row, caller.attempt, _text(self.given))).lastrowid or 0
            (nth,) = self.db.execute(same, (action.system, action.name, caller.idempotency_key)).fetchone()
        return entry, nth

    def _once(self, entry: int, faults: list[Fault]) -> dict[str, Any]:
        """The effect, its answer and the ledger's word on it are one transaction; a known key gets its first answer."""
        with self.store.transaction(self.db):
            result = self._known_answer()
            self._note(entry, "done" if result is None else "repeated")
            if result is None:
                strike(WITHIN, faults, self.action)
                result = self._act()
                self._keep_answer(result)
            return result

    def _known_answer(self) -> dict[str, Any] | None:
        """The first answer for this key. Raises ServiceError `idempotency.mismatch` when it was for something else."""
        sql = "SELECT action, input, result FROM answers WHERE system = ? AND key = ?"
        found = self.db.execute(sql, (self.action.system, self.caller.idempotency_key)).fetchone()
        if found is None:
            return None
        if found[:2] != (self.action.name, _text(self.given)):
            message = f"the key {self.caller.idempotency_key!r} was used before, for {found[0]} with {found[1]}"
            raise ServiceError("idempotency.mismatch", message, status=422, retryable=False)
        result: dict[str, Any] = json.loads(found[2])
        return result

    def _act(self) -> dict[str, Any]:
        if not isinstance(self.given, dict):
            raise invalid(f"{self.action} needs a JSON object")
        fields, caller = Fields(self.given), self.caller
        self._heed_undone(fields)
        call = Call(caller.execution, caller.step, caller.attempt, caller.idempotency_key, self.db, _now())
        try:
            return self.action.function(fields, call)
        except sqlite3.IntegrityError as error:
            message = f"{self.action}: {error}"
            raise ServiceError(f"{self.action.system}.conflict", message, status=409, retryable=False) from error

    def _heed_undone(self, fields: Fields) -> None:
        """What undoes leaves a mark that outlives it; what was undone before it arrived is refused.

        What is done once more after it was undone is asked for in a further round, and its key says so.
        """
        action, round = self.action, _round_of(self.caller.idempotency_key)
        if action.undoes:
            row = (action.system, action.undoes, fields["reference"], round, _now())
            self.db.execute("INSERT OR IGNORE INTO undone VALUES (?, ?, ?, ?, ?)", row)
            return
        sql = "SELECT at FROM undone WHERE system = ? AND action = ? AND reference = ? AND round >= ?"
        row = self.db.execute(sql, (action.system, action.name, fields.get("reference"), round)).fetchone()
        if row is not None:
            message = f"{action} of {fields['reference']} came too late: it was undone at {row[0]}"
            raise ServiceError(f"{action.system}.undone", message, status=409, retryable=False)

    def _keep_answer(self, result: dict[str, Any]) -> None:
        if key := self.caller.idempotency_key:
            row = (self.action.system, key, self.action.name, _text(self.given), _text(result))
            self.db.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", row)

    def _note(self, entry: int, outcome: str) -> None:
        said = "CASE WHEN outcome IS NULL THEN ?1 ELSE outcome || ', then ' || ?1 END"
        self.db.execute(f"UPDATE calls SET outcome = {said} WHERE id = ?2", (outcome, entry))


def _round_of(key: str) -> int:
    """The keys of a step that was undone and runs again end with `~2`, then `~3`, and so do those of its undoing."""
    digits = key.rpartition("~")[2]
    return int(digits) if "~" in key and digits.isascii() and digits.isdigit() else 1


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
