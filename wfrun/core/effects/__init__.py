"""Intents: what the interpreter wants done. The engine records an intent, syncs it, and performs it.

`intent()` is the fact that records the intent; a call has `prepare()`, which also gives what is to be sent. It is
evaluated when the effect is about to be attempted and never during a replay, which finds the fact in the journal. An
expression without a value is a fact, too.
The id comes from the place in the plan, the iteration and the attempt: never from the order in which things happened.
"""

from typing import TypeAlias

from wfrun.core.effects.calls import CallService
from wfrun.core.effects.children import RecallChild, StartChild
from wfrun.core.effects.choices import BeginForeach, Compute, Decide, Raise
from wfrun.core.effects.ends import ApplyRepair, AwaitRepair, End, Hold, Output, StartCompensation, Stop
from wfrun.core.effects.setting import RecordedHost, Setting
from wfrun.core.effects.tasks import EscalateTask, OpenTask
from wfrun.core.effects.waits import Listen, Match, Publish, StartPause, StartTimer

Effect: TypeAlias = (
    CallService
    | StartChild
    | RecallChild
    | Decide
    | Compute
    | BeginForeach
    | Raise
    | StartTimer
    | StartPause
    | Listen
    | Match
    | Publish
    | OpenTask
    | EscalateTask
    | StartCompensation
    | End
    | Hold
    | AwaitRepair
    | ApplyRepair
    | Stop
)

__all__ = [
    "ApplyRepair",
    "AwaitRepair",
    "BeginForeach",
    "CallService",
    "Compute",
    "Decide",
    "Effect",
    "End",
    "EscalateTask",
    "Hold",
    "Listen",
    "Match",
    "OpenTask",
    "Output",
    "Publish",
    "Raise",
    "RecallChild",
    "RecordedHost",
    "Setting",
    "StartChild",
    "StartCompensation",
    "StartPause",
    "StartTimer",
    "Stop",
]
