"""The workflow language in plain words: a second evaluator, against which wfrun itself is tested.

It walks the definition as it is written. A sequence is a `for`, a branch a task, a step that may be stopped is one that
can be cancelled, what can be undone is a list; whatever takes time sleeps on a virtual clock. There is no journal, no
plan and no replay in it, and it shares no code with the interpreter. Of wfrun it uses what is tested in other ways: the
evaluator of expressions (tests/property/test_expressions.py has a model of its own for that), how durations and
instants are written, and the list of error types after which nobody knows what has happened.

    reading.py      what is written: names by place, retries, shares, durations
    scope.py        what a step sees, and what is remembered to be undone
    leaves.py       steps that act, ask, wait or end
    blocks.py       steps that lead to others
    crews.py        branches at the same time
    execution.py    one execution: the saga around its steps
    outside.py      what executions ask for: services, people, other workflows, the time
    scripted.py     the outside of a scenario
"""
