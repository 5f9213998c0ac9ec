"""What has to hold of every journal, whatever has happened and whatever was repaired: reasons why it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wfrun.core.events import Record
from wfrun.core.plan import Plan
from wfrun.core.plan.nodes import Call, walk
from wfrun.core.repair_history import COMPENSATE, undone_by
from wfrun.core.run import Run


def broken_promises(plan: Plan, records: Sequence[Record]) -> Iterator[str]:
    yield from _one_request_under_each_key(records)
    yield from _undone_once(plan, records)
    yield from _last_first(records)
    yield from _nothing_twice_without_a_word(plan, records)
    yield from _comes_to_the_same_again(plan, records)


def _one_request_under_each_key(records: Sequence[Record]) -> Iterator[str]:
    """No key with two inputs, and the same input again with the same key, unless it was undone between."""
    inputs: dict[tuple[str, str], str] = {}
    last: dict[str, tuple[str, str]] = {}
    for record in records:
        step = record.get("step", "")
        if step.startswith(COMPENSATE):
            last.pop(undone_by(step), None)
        elif record["type"] == "step.started":
            input, key = record["inputHash"], record["key"]
            if inputs.setdefault((step, key), input) != input:
                yield f"{step} is called with two inputs under {key}"
            before = last.get(step, (input, key))
            if before[0] == input and before[1] != key:
                yield f"{step} is called with one input under {before[1]} and {key}"
            last[step] = input, key


def _undone_once(plan: Plan, records: Sequence[Record]) -> Iterator[str]:
    """What has been undone, to the last call of it, is neither undone nor done again under the keys that it had.

    Another step may have been given the same key by the workflow.
    """
    parts = {step.id: len(step.compensation) for step in walk(plan.root)}
    undone: set[tuple[str, str]] = set()
    called: dict[str, set[str]] = {}
    for record in records:
        if record["type"] == "step.started":
            instance, key = undone_by(record["step"]), record["key"]
            if (instance, key) in undone:
                yield f"{key} is used again by {instance}, after it was undone"
            called.setdefault(instance, set()).add(key)
        elif record["type"] == "step.completed" and record["step"].startswith(COMPENSATE):
            instance = undone_by(record["step"])
            last = parts[instance.partition("@")[0]]
            if record["step"] == f"{COMPENSATE}{instance}" + (f"/{last}" if last > 1 else ""):
                undone |= {(instance, key) for key in called.pop(instance)}


def _last_first(records: Sequence[Record]) -> Iterator[str]:
    """What is undone for a failure, or because somebody asked, is undone in reverse order of completion (C11).

    What has been begun again and has not completed has none.
    """
    completed: dict[str, int] = {}
    for record in records:
        if record["type"] == "step.started":
            completed.pop(record["step"], None)
        elif record["type"] == "step.completed":
            completed[record["step"]] = record["seq"]
        elif record["type"] == "compensation.started":
            order = [completed[step] for step in record["steps"] if step in completed]
            if order != sorted(order, reverse=True):
                yield f"{record['steps']} are undone in another order than the reverse of that of their completion"


def _nothing_twice_without_a_word(plan: Plan, records: Sequence[Record]) -> Iterator[str]:
    """With `onCrash: fail` or `ask` an attempt is begun once, and again only at a word, which a repair is, too."""
    steps = {step.id: step for step in walk(plan.root)}
    allowed: dict[tuple[str, int], int] = {}
    for record in records:
        if record["type"] == "repair.requested":
            allowed.clear()  # a word about all that is still to be done
        node = steps.get(record.get("step", "").partition("@")[0])
        if not isinstance(node, Call) or node.on_crash == "retry" or "attempt" not in record:
            continue
        attempt = record["step"], record["attempt"]
        if record["type"] == "step.retried":
            allowed[attempt] += 1
        elif record["type"] == "step.started":
            allowed[attempt] = allowed.get(attempt, 1) - 1
            if allowed[attempt] < 0:
                yield f"{attempt} is called again without anybody's word"


def _comes_to_the_same_again(plan: Plan, records: Sequence[Record]) -> Iterator[str]:
    """Whoever folds the journal knows as much as who has written it."""
    run = Run(plan)
    for record in records:
        run.apply(record)
    if len(run.records) != len(records):
        yield "some records are not folded"
