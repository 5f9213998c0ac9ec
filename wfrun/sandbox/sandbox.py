"""A world of systems, and the decorators that put plain functions on its two faces."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from wfrun.sandbox.call import Action, Caller, Face, Function
from wfrun.sandbox.faults import Fault, parse_fault, parse_faults
from wfrun.sandbox.store import Store
from wfrun.sandbox.visit import Visit


class Sandbox:
    """`schema` is SQL that makes the tables and what stands in them on the first day."""

    def __init__(self, name: str, *, systems: Iterable[str], schema: str) -> None:
        self.store = Store(name, schema)
        self.systems = tuple(systems)
        self.actions: dict[str, Action] = {}

    def system(self, name: str) -> System:
        if name not in self.systems:
            raise ValueError(f"{name!r} is none of the systems of this sandbox: {', '.join(self.systems)}")
        return System(self, name)

    def faults(self, db: sqlite3.Connection) -> list[Fault]:
        """Those that were told, except where the environment speaks of the same target. Raises ServiceError."""
        rules = parse_faults(os.environ.get("WFRUN_FAIL", ""), self.systems)
        spoken_of = {rule.target for rule in rules}
        told = db.execute("SELECT target, fault FROM faults ORDER BY id").fetchall()
        return rules + [parse_fault(target, fault, self.systems) for target, fault in told if target not in spoken_of]

    def perform(self, action: Action, given: object, caller: Caller) -> dict[str, Any]:
        """One call from anywhere. Raises ServiceError for every answer that is not a result."""
        with self.store.open() as db:
            return Visit(self.store, db, action, given, caller).perform(self.faults)


class System:
    """One system of a sandbox."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self._sandbox = sandbox
        self._name = name

    def action(self, route: str) -> Callable[[Function], Face]:
        """`@payment.action("POST /charges")`: served at `/payment/charges`, and callable with any adapter's call."""
        return self._register(route, None)

    def undoes(self, action: str, route: str) -> Callable[[Function], Face]:
        """`@payment.undoes("charge", "POST /charges/{reference}/refund")`.

        Its input names the `reference` of what it takes back. From then on `charge` refuses that reference, so that a
        charge whose outcome nobody knew, and that arrives late, does not happen after its refund.
        """
        return self._register(route, action)

    def _register(self, route: str, undoes: str | None) -> Callable[[Function], Face]:
        method, path = route.split()

        def decorate(function: Function) -> Face:
            name = _camel(function.__name__)
            action = Action(self._name, name, method, f"/{self._name}{path}", function, undoes)
            self._sandbox.actions[str(action)] = action

            def face(input: Any, call: Caller) -> dict[str, Any]:
                return self._sandbox.perform(action, input, call)

            face.__name__, face.__doc__, face.__module__ = function.__name__, function.__doc__, function.__module__
            return face

        return decorate


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
