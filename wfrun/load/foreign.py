"""The words of other tools, and what is written here instead. All words without case, hyphens and underscores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a word that is no key was meant for: the key, if one does just that, and a hint."""

    key: str
    hint: str


def _called(key: str, what: str) -> Meaning:
    return Meaning(key, f"{what} `{key}`")


_CONDITION = Meaning("condition", "write `condition: $.amount > 100`")
_INPUT = _called("input", "what a step is given is its")
_ORDER = Meaning(
    "",
    "steps run in the order written; what need not wait goes into a step of `type: parallel`, "
    "where a branch may say `needs: [other-step]`",
)
_COMMAND = Meaning("", "a command is an action of a service with `adapter: shell`, and the step calls that")
_STEPS = _called("steps", "the list of steps is called")
_LATER = Meaning("", "this is not in this version")
_RETRY = Meaning("retry", "write `retry: { maxRetries: 3 }`")
_FOREACH = Meaning("", "write a step of `type: foreach` with `items: $.list` and `steps`")
_WHILE = Meaning("", "write a step of `type: while` with `condition`, `maxIterations` and `steps`")
_REPEAT = Meaning("", "write a step of `type: repeat` with `until`, `maxIterations` and `steps`")
_SWITCH = Meaning("", "write a step of `type: switch` with `cases: [{ condition: …, steps: [ … ] }]`")
_WAIT = Meaning("", "write a step of `type: wait` with `for: 5m`, `until: $.instant` or `event: name`")
_TRY = Meaning("onError", "write `onError: { error: http.5*, steps: [ … ] }`, or a step of `type: try` around several")
_FINALLY = Meaning("", "write a step of `type: try` with `steps` and `finally`")
_SET = Meaning("", "write a step of `type: set` with `values: { key: $.path }`")
_EMIT = Meaning("", "write a step of `type: emit` with `event: name` and `data`")
_WORKFLOW = Meaning("", "write a step of `type: workflow` with `workflow: name` and `input`")
_FAIL = Meaning("", "write a step of `type: fail` with `error: some.type` and `message`")
_END = Meaning("", "write a step of `type: end`, with `output` if there is something to give back")
_PARALLEL = Meaning("", "write a step of `type: parallel` with `steps`")
_TASK = Meaning("", "write a step of `type: human-task` with `assignee`")
_CALL = Meaning("", "a step that calls a service has no `type`; only that has `service` and `action`")
_IN_ASSIGNEE = Meaning("", "it stands inside `assignee`: `assignee: { groups: [managers], quorum: 2 }`")
_COMPENSATE = _called("compensate", "what undoes a step is its")
_OF_CALLS = Meaning("", "only a step that calls a service has it")
_IF = Meaning("", "write a step of `type: conditional` with `condition`, `then` and `else`")
_OUTPUT = _called("output", "the key that keeps the result is called")
_ONE_AT_A_TIME = _called("concurrency", "how many run at once is said by")


def _all(words: str, *meanings: Meaning) -> Mapping[str, tuple[Meaning, ...]]:
    return dict.fromkeys(words.split(), meanings)


# What a key was meant for. Of several meanings the first one counts whose key is known where the word stands.
KEYS: Mapping[str, tuple[Meaning, ...]] = {
    **_all("if when", _CONDITION),
    **_all("with args arguments params parameters inputs", _INPUT),
    **_all("payload body", _called("data", "what an event says is its"), _STEPS, _INPUT),
    **_all("dependson depends after next startat needs requires", _ORDER),
    **_all("run cmd command script shell exec", _COMMAND),
    **_all("states tasks jobs stages activities do sequence", _STEPS),
    **_all("then", _STEPS, _IF),
    **_all("else", _IF),
    **_all("retry deadline pivot idempotencykey oncrash", _OF_CALLS),
    **_all("branches", _STEPS, _PARALLEL),
    **_all("retries maxretries maxattempts attempts", _RETRY),
    **_all("foreach for loop map each withitems", _called("items", "the list is called"), _FOREACH),
    **_all("in over list collection itemspath range", _called("items", "the list is called"), _FOREACH),
    **_all("var variable itemname itemvar loopvar alias", _called("as", "another name is given by")),
    **_all("maxconcurrency maxparallel parallelism batchsize", _ONE_AT_A_TIME),
    **_all("limit times count max maxloops", _called("maxIterations", "the guard of a loop is called")),
    **_all("interval every", _called("delay", "the wait between iterations is called")),
    **_all("while", _WHILE),
    **_all("repeat until dowhile", _called("until", "what ends the loop is said by"), _REPEAT),
    **_all("switch choice choices match case", _called("cases", "the ways to go are called"), _SWITCH),
    **_all("otherwise default", _called("else", "what runs when nothing else does is called")),
    **_all("wait sleep pause timer", _called("delay", "the wait between iterations is called"), _WAIT),
    **_all("delay seconds minutes duration", _called("for", "how long is said by"), _WAIT),
    **_all("signal message eventname eventtype waitfor", _called("event", "the name of an event stands under"), _WAIT),
    **_all("filter where correlation", _called("match", "which event is the one is said by")),
    **_all("catch rescue except onfailure catches", _called("catch", "handlers of errors are called"), _TRY),
    **_all("try", _STEPS, _TRY),
    **_all("errors errorequals types codes", _called("error", "the type of an error stands under")),
    **_all("finally ensure always", _called("finally", "what runs in any case is called"), _FINALLY),
    **_all("set assign vars variables let", _called("values", "keys and values are written under"), _SET),
    **_all("emit publish send", _called("event", "the name of an event stands under"), _EMIT),
    **_all("workflow subworkflow childworkflow call child", _called("workflow", "the other one is called"), _WORKFLOW),
    **_all("fail throw raise", _called("error", "the type of an error stands under"), _FAIL),
    **_all("end return exit stop succeed", _END),
    **_all("undo rollback compensation compensations revert", _COMPENSATE),
    **_all("approvers approver approval owner", _called("assignee", "who decides is called"), _TASK),
    **_all("quorum excludeinitiator", _IN_ASSIGNEE),
    **_all("on", _called("error", "the type of an error stands under"), _LATER),
    **_all("trigger triggers schedule cron webhook remind", _LATER),
    **_all(
        "env", Meaning("", "variables belong to services: `env:` of a shell action, or `${env.NAME}` in their entry")
    ),
    **_all(
        "uses", Meaning("", "a step names a `service` and an `action`; how that is reached stands under `services:`")
    ),
    **_all("outputs result resultpath as", _OUTPUT),
    **_all("service action", _CALL),
    **_all("id", _called("name", "a step is known by its")),
}

# The types that other tools have for a call.
CALLS = ("call", "service", "servicecall", "task", "action", "http", "shell", "python", "mock", "activity")

# What a step without a type most likely is, by the keys that it has.
TELLING_KEYS: Iterable[tuple[frozenset[str], str]] = [
    (frozenset(keys.split()), kind)
    for keys, kind in (
        ("then", "conditional"),
        ("cases", "switch"),
        ("else", "conditional"),
        ("assignee", "human-task"),
        ("form", "human-task"),
        ("catch", "try"),
        ("finally", "try"),
        ("items", "foreach"),
        ("until steps", "repeat"),
        ("maxIterations", "while"),
        ("values", "set"),
        ("event data", "emit"),
        ("event", "wait"),
        ("for", "wait"),
        ("until", "wait"),
        ("workflow", "workflow"),
        ("concurrency", "parallel"),
        ("complete", "parallel"),
        ("tolerate", "parallel"),
        ("steps", "sequential"),
        ("error", "fail"),
        ("message", "fail"),
    )
]

_FOREIGN_TYPES = {
    "foreach": "for loop map each forall iterate",
    "while": "whiledo",
    "repeat": "until dowhile dountil",
    "switch": "choice choose case match",
    "conditional": "if condition branch decision",
    "parallel": "fork concurrent all",
    "sequential": "sequence group block do steps",
    "try": "catch trycatch finally rescue",
    "wait": "sleep delay timer pause signal receive waitforevent",
    "set": "assign pass variable variables let transform",
    "emit": "publish send event throwevent",
    "workflow": "subworkflow childworkflow subprocess child",
    "fail": "throw raise error failure",
    "end": "return exit stop succeed success finish",
    "human-task": "approval human usertask manual manualtask form",
}
# What another tool's type of step is called here.
TYPES: Mapping[str, str] = {
    word: f"write `type: {kind}`" for kind, words in _FOREIGN_TYPES.items() for word in words.split()
}
