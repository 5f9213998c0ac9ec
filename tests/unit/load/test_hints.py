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
        ("needs", "`type: parallel`"),
        ("depends_on", "`type: parallel`"),
        ("dependsOn", "`type: parallel`"),
        ("Next", "`type: parallel`"),
        ("env", "`${env.NAME}`"),
        ("run", "`adapter: shell`"),
        ("uses", "`services:`"),
        ("retries", "`retry: { maxRetries: 3 }`"),
        ("maxRetries", "`retry: { maxRetries: 3 }`"),
        ("outputs", "`output`"),
        *((key, "not in this version") for key in ("foreach", "for_each", "for", "switch", "wait", "try")),
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
        ("name: x, foreach: $.items", "not in this version"),
        ("name: x", "a call needs `service` and `action`"),
        ("type: foreach", "not in this version"),
        ("type: wait", "not in this version"),
        ("type: task", "has no `type`"),
        ("type: http", "has no `type`"),
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
