"""What is said of words that other tools use, and of values that are nearly right."""

from __future__ import annotations

import pytest

from wfrun.errors import InvalidError, Problem
from wfrun.load.definition import load_definition

CALL = "name: a, service: s, action: x"


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidError) as caught:
        load_definition(text.encode(), "f.yaml")
    return list(caught.value.problems)


def of_step(step: str) -> Problem:
    (problem,) = problems(f"name: w\nsteps: [{{ {step} }}]")
    return problem


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("if", "`condition: "),
        ("when", "`condition: "),
        ("with", "`input`"),
        ("parameters", "`input`"),
        ("depends_on", "`type: parallel`"),
        ("dependsOn", "`type: parallel`"),
        ("Next", "`type: parallel`"),
        ("env", "`${env.NAME}`"),
        ("run", "`adapter: shell`"),
        ("uses", "`services:`"),
        ("retries", "`retry: { maxRetries: 3 }`"),
        ("maxRetries", "`retry: { maxRetries: 3 }`"),
        ("outputs", "`output`"),
        *((key, "`type: foreach`") for key in ("foreach", "forEach", "for_each", "for", "loop", "map")),
        ("while", "`type: while`"),
        *((key, "`type: repeat`") for key in ("repeat", "until")),
        *((key, "`type: switch`") for key in ("switch", "choice", "choices")),
        *((key, "`type: wait`") for key in ("wait", "sleep", "delay", "signal")),
        *((key, "`type: try`") for key in ("try", "catch", "rescue", "finally")),
        *((key, "`onError: { error: ") for key in ("catch", "onFailure", "except")),
        *((key, "`type: set`") for key in ("set", "assign", "vars")),
        *((key, "`type: emit`") for key in ("emit", "publish")),
        *((key, "`type: workflow`") for key in ("workflow", "subworkflow", "call")),
        *((key, "`type: fail`") for key in ("fail", "throw", "raise")),
        *((key, "`type: end`") for key in ("end", "return", "exit")),
        *((key, "`type: conditional`") for key in ("then", "else")),
        *((key, "`compensate`") for key in ("undo", "rollback", "compensations")),
        *((key, "not in this version") for key in ("schedule", "remind")),
    ],
)
def test_keys_of_other_tools(key: str, words: str) -> None:
    problem = of_step(f"{CALL}, {key}: 1")
    assert problem.code == "schema.unknown-key"
    assert words in problem.hint


@pytest.mark.parametrize(("key", "words"), [("States", "`steps`"), ("tasks", "`steps`"), ("jobs", "`steps`")])
def test_the_list_of_steps_under_another_name_is_one_mistake(key: str, words: str) -> None:
    (problem,) = problems(f"name: w\n{key}: []")
    assert problem.code == "schema.unknown-key"
    assert words in problem.hint


def test_where_no_step_can_be_meant_nearness_decides() -> None:
    assert of_step(f"{CALL}, retry: {{ delay: 5s }}").hint == "did you mean `maxDelay`?"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("run: echo hi", "`adapter: shell`"),
        ("uses: actions/checkout, with: {}", "`services:`"),
        ("name: x, foreach: $.items", "`type: foreach`"),
        ("name: x, switch: []", "`type: switch`"),
        ("name: x, sleep: 5m", "`type: wait`"),
        ("cases: []", "add `type: switch`"),
        ("items: $.a, steps: []", "add `type: foreach`"),
        ("condition: $.a, maxIterations: 5, steps: []", "add `type: while`"),
        ("until: $.a, maxIterations: 5, steps: []", "add `type: repeat`"),
        ("steps: [], catch: []", "add `type: try`"),
        ("steps: [], finally: []", "add `type: try`"),
        ("name: x, for: 5m", "add `type: wait`"),
        ("name: x, until: $.a", "add `type: wait`"),
        ("name: x, event: a", "add `type: wait`"),
        ("name: x, event: a, data: 5", "add `type: emit`"),
        ("values: { a: 1 }", "add `type: set`"),
        ("name: x, workflow: y", "add `type: workflow`"),
        ("error: a, message: b", "add `type: fail`"),
        ("name: x", "a call needs `service` and `action`"),
        ("type: task", "has no `type`"),
        ("type: http", "has no `type`"),
        ("type: forEach", "did you mean `foreach`?"),
        ("type: for_each", "did you mean `foreach`?"),
        ("type: loop", "write `type: foreach`"),
        ("type: map", "write `type: foreach`"),
        ("type: until", "write `type: repeat`"),
        ("type: choice", "write `type: switch`"),
        ("type: sleep", "write `type: wait`"),
        ("type: delay", "write `type: wait`"),
        ("type: catch", "write `type: try`"),
        ("type: subworkflow", "write `type: workflow`"),
        ("type: sub-workflow", "write `type: workflow`"),
        ("type: throw", "write `type: fail`"),
        ("type: return", "write `type: end`"),
        ("type: approval", "write `type: human-task`"),
        ("type: if", "write `type: conditional`"),
        ("type: paralel", "did you mean `parallel`?"),
    ],
)
def test_steps_of_other_tools(step: str, words: str) -> None:
    assert words in of_step(step).hint


@pytest.mark.parametrize(
    ("service", "hint"),
    [
        ("{ adapter: shell, actions: { x: { command: echo $.text } } }", 'write `command: [echo, "${$.text}"]`'),
        ("{ adapter: shell, actions: { x: { command: ls -l /tmp } } }", 'write `command: [ls, "-l", /tmp]`'),
        ("{ adapter: shell, actions: { x: { command: ls | wc } } }", 'write `command: [echo, "${$.text}"]`'),
        ("{ adapter: http, baseUrl: u, actions: { x: PSOT /x } }", "did you mean `POST`?"),
        ("{ adapter: http, baseUrl: u, actions: { x: POST a } }", "write `POST /a`"),
        ("{ adapter: http, baseUrl: u, actions: { x: post /a } }", "write `POST /a`"),
        ("{ adapter: http, baseUrl: u, actions: { x: /a } }", "write `GET /a`, or another method"),
    ],
)
def test_services(service: str, hint: str) -> None:
    (problem,) = problems(f"name: w\nservices:\n  s: {service}\nsteps: {{ {CALL} }}")
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("step", "key", "hint"),
    [
        ("type: foreach, in: $.a, steps: X", "in", "the list is called `items`"),
        ("type: foreach, items: $.a, do: X", "do", "the list of steps is called `steps`"),
        ("type: foreach, items: $.a, var: b, steps: X", "var", "another name is given by `as`"),
        ("type: foreach, items: $.a, parallelism: 5, steps: X", "parallelism", "is said by `concurrency`"),
        ("type: while, condition: $.a, limit: 5, steps: X", "limit", "is called `maxIterations`"),
        ("type: repeat, until: $.a, maxIterations: 5, sleep: 5s, steps: X", "sleep", "is called `delay`"),
        ("type: while, until: $.a, condition: true, maxIterations: 5, steps: X", "until", "`type: repeat`"),
        ("type: switch, choices: []", "choices", "are called `cases`"),
        ("type: switch, cases: [{ when: $.a, steps: X }]", "when", "write `condition: "),
        ("type: switch, cases: [{ condition: $.a, then: X }]", "then", "is called `steps`"),
        ("type: try, steps: X, rescue: []", "rescue", "are called `catch`"),
        ("type: try, steps: X, ensure: []", "ensure", "is called `finally`"),
        ("type: try, steps: X, catch: [{ errors: a, steps: X }]", "errors", "stands under `error`"),
        ("type: try, steps: X, catch: [{ on: a, steps: X }]", "on", "stands under `error`"),
        ("name: w, type: wait, seconds: 5", "seconds", "is said by `for`"),
        ("name: w, type: wait, signal: a", "signal", "stands under `event`"),
        ("name: w, type: wait, event: a, filter: $.a", "filter", "is said by `match`"),
        ("type: set, variables: {}", "variables", "written under `values`"),
        ("name: w, type: emit, event: a, payload: 5", "payload", "is its `data`"),
        ("name: w, type: workflow, workflow: a, retry: none", "retry", "only a step that calls a service has it"),
        ("type: set, values: { a: 1 }, service: s", "service", "a step that calls a service has no `type`"),
        ("type: sequential, Steps: X", "Steps", "did you mean `steps`?"),
    ],
)
def test_keys_of_other_tools_in_steps_of_a_type(step: str, key: str, hint: str) -> None:
    problem = of_step(step.replace("X", "{ type: end }"))
    assert problem.message.endswith(f"has no key `{key}`")
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("type: try, steps: { type: end }, catch: [{ name: a, service: s, action: x }]", "`catch[0]` of step `t`"),
        ("type: try, steps: { type: end }, catch: [{ type: end }]", "`catch[0]` of step `t`"),
        ("type: sequential, steps: { type: end }, onError: { type: end }", "`onError` of step `t`"),
        ("type: sequential, steps: { type: end }, onError: [{ type: end }]", "`onError[0]` of step `t`"),
        ("type: switch, cases: [{ condition: $.a, service: s, action: x }]", "`cases[0]` of step `t`"),
    ],
)
def test_a_step_where_a_handler_or_a_case_is_due_is_one_mistake(step: str, what: str) -> None:
    problem = of_step(f"name: t, {step}")
    assert problem.code == "schema.step-kind"
    assert problem.message.startswith(f"{what} is a step instead of a ")
    assert "`steps`" in problem.hint


@pytest.mark.parametrize(
    ("step", "key"),
    [
        ("type: wait, for: 5m, event: a", "for"),
        ("type: wait, until: 2030-01-01, event: a", "until"),
        ("type: wait, for: 5m, until: 2030-01-01", "until"),
        ("type: wait, for: 5m, timeout: 1h", "timeout"),
        ("type: wait, until: $.a, output: b", "output"),
        ("type: wait, event: a, complete: any", "complete"),
        ("type: wait, event: [a, b], match: $.a", "match"),
        ("type: parallel, complete: any, tolerate: 1, steps: [{ type: end }]", "tolerate"),
        ("type: foreach, items: $.a, complete: 2, tolerate: 10%, steps: { type: end }", "tolerate"),
        ("type: sequential, needs: a, steps: { type: end }", "needs"),
    ],
)
def test_keys_that_do_not_go_together(step: str, key: str) -> None:
    problem = of_step(f"name: t, {step}")
    assert (problem.code, problem.message) == ("schema.conflict", f"step `t` cannot have `{key}`")
    assert problem.hint


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("type: wait", "step `t` needs one of the keys `for` or `until` or `event`"),
        ("type: try, steps: { type: end }", "step `t` needs one of the keys `catch` or `finally`"),
        ("type: wait, event: a, onTimeout: fail", "`onTimeout` of step `t` needs the key `timeout` beside it"),
        ("type: while, condition: $.a, steps: { type: end }", "step `t` needs the key `maxIterations`"),
        ("type: switch", "step `t` needs the key `cases`"),
        ("type: set", "step `t` needs the key `values`"),
        ("type: emit", "step `t` needs the key `event`"),
        ("type: workflow", "step `t` needs the key `workflow`"),
    ],
)
def test_what_is_missing(step: str, message: str) -> None:
    problem = of_step(f"name: t, {step}")
    assert (problem.code, problem.message) == ("schema.missing-key", message)


@pytest.mark.parametrize("step", ["type: wait, evnt: a", "type: try, steps: { type: end }, finaly: { type: end }"])
def test_one_of_several_that_is_misspelt_is_one_mistake(step: str) -> None:
    assert of_step(f"name: t, {step}").code == "schema.unknown-key"


def test_a_status_is_no_type_of_error_but_nearly() -> None:
    problem = of_step("name: t, type: try, steps: { type: end }, catch: [{ error: 404, steps: { type: end } }]")
    assert problem.hint == "write `http.404`"


def test_yes_is_text() -> None:
    assert of_step(f"{CALL}, pivot: yes").hint == "write `true`"


def test_a_number_of_retries_is_no_text() -> None:
    assert of_step(f"{CALL}, retry: 3").hint == "write `{ maxRetries: 3 }`"


def test_a_misspelt_key_is_told_once() -> None:
    problem = of_step("name: a, servise: s, action: x")
    assert (problem.code, problem.hint) == ("schema.unknown-key", "did you mean `service`?")


def test_a_key_that_is_missing_besides_is_told_too() -> None:
    found = problems("name: w\nsteps: [{ servise: s, action: x }]")
    assert [(each.code, each.message) for each in found] == [
        ("schema.missing-key", "`steps[0]` needs the key `name`"),
        ("schema.unknown-key", "`steps[0]` has no key `servise`"),
    ]


class TestNamesOfSteps:
    def test_the_innermost_step_is_told_by_its_name(self) -> None:
        inner = f"{{ {CALL}, timeout: soon }}"
        problem = of_step(f"name: outer, type: conditional, condition: true, then: [{inner}]")
        assert problem.message.startswith("`timeout` of step `a` must be a duration")

    def test_a_step_without_a_name_is_told_by_its_place(self) -> None:
        problem = of_step(
            f"name: outer, type: sequential, steps: {{ type: parallel, concurrency: 0, steps: [{{ {CALL} }}] }}"
        )
        assert problem.message.startswith("`steps[0].steps.concurrency` must be")

    def test_a_block_of_the_wrong_kind_is_no_step(self) -> None:
        problem = of_step(f"type: parallel, steps: {{ {CALL} }}")
        assert problem.message == "`steps[0].steps` must be a list, not a mapping"

    def test_names_inside_data_are_no_names_of_steps(self) -> None:
        problem = of_step("name: ask, type: human-task, assignee: a, form: { name: strng }")
        assert problem.message.startswith("`form.name` of step `ask`")
