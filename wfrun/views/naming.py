"""What people call a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wfrun.views.blocks import ROOT
from wfrun.views.iterations import split_instance
from wfrun.views.steps import COMPENSATE

if TYPE_CHECKING:
    from wfrun.core.events import Record


def called(step: str, names: Mapping[str, str]) -> str:
    """An instance as people call it. `names` are those of steps that have none themselves."""
    if step == ROOT:
        return "the workflow"
    plain = step.removeprefix(COMPENSATE)
    name, iteration = split_instance(plain)
    if name not in names:
        return step
    return step.removesuffix(plain) + names[name] + (f"@{iteration}" if iteration else "")


def id_of(called: str, names: Mapping[str, str]) -> str:
    """What a journal calls an instance that people call so: `steps[1].then[0]@3` for `check.then[0]@3`."""
    plain = called.removeprefix(COMPENSATE)
    name, at, iteration = plain.partition("@")
    found = next((id for id, shown in names.items() if shown == name), name)
    return called.removesuffix(plain) + found + at + iteration


def with_names(record: Record, names: Mapping[str, str]) -> Record:
    """A record that calls steps as people do."""
    told = dict(record)
    if record.get("step"):
        told["step"] = called(record["step"], names)
    if "timer" in record:
        instance, mark, reason = record["timer"].rpartition("!")
        told["timer"] = called(instance, names) + mark + reason
    if record.get("error") and record["error"].get("step"):
        told["error"] = {**record["error"], "step": called(record["error"]["step"], names)}
    return told
