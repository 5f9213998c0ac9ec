"""What each code of advice is about: for lists of rules, and for tools that show a help text beside a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """`about` is one sentence; `help` says why it matters and what to do."""

    about: str
    help: str


RULES: Mapping[str, Rule] = {
    "lint.no-compensation": Rule(
        "A step that changes something cannot be undone when a later one fails.",
        "The workflow undoes some of its steps when it fails, but not this one: what it did stays. Give it a "
        "`compensate`, or an entry in `compensations`; or move it behind everything that can fail.",
    ),
    "lint.no-deadline": Rule(
        "A human task, or a wait for events, may wait forever.",
        "Nobody notices a task that was forgotten, or an event that never comes. Give the step a `timeout`, or one to "
        "a block around it.",
    ),
    "lint.unreachable-handler": Rule(
        "An error that a handler is for always goes to one before it.",
        "The first handler that fits runs. Write the more special handler first.",
    ),
    "lint.duplicate-pattern": Rule(
        "A pattern of a handler adds nothing to those beside it.",
        "Leave it out, or write what was meant instead.",
    ),
    "lint.unreachable-case": Rule(
        "A case of a `switch` asks the same as one before it.",
        "The first case that holds is taken, so this one never is. Write what was meant instead.",
    ),
    "lint.unused-output": Rule(
        "A step keeps its result under a key that nobody reads.",
        "Leave `output` out, or read the key; the result stands in the journal in any case. A key that was meant to be "
        "read somewhere is missing there.",
    ),
    "lint.secret": Rule(
        "A secret stands in the file in plain text.",
        "Whoever reads the file, its history, or the stored definition reads the secret. Write `${secret.NAME}` in the "
        "services, and replace the secret that stood here.",
    ),
    # What the checks of a plan advise themselves, with or without this package.
    "plan.may-be-missing": Rule(
        "A key is read that is not there in every case.",
        "Without it the step fails. `default($.key, …)` says what to take then; or let the step that reads it depend "
        "on the condition that the key depends on. Undo a call by what it was given: one that was stopped has no "
        "result.",
    ),
    "plan.unreachable": Rule(
        "A step, branch, case or handler never runs.",
        "Its condition is always the same, or everything before it ends. Correct the condition, or delete what is "
        "dead.",
    ),
    "plan.literal-path": Rule(
        "A text reads like a path, and is nothing but text.",
        "References begin with `$.`, inside of texts with `${`.",
    ),
    "plan.detached": Rule(
        "A workflow that nobody waits for has no output.",
        "Leave out `output`, or `detach`.",
    ),
}
