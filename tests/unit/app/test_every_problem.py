"""What is told of a file with several mistakes, and what is not, because it may follow from one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.app.authoring import lint, validate
from wfrun.errors import MOST_ADVICE, MOST_ERRORS, Place, Problem, bounded

MAIL = "services: { mail: { adapter: mock, actions: { send: {} } } }"
CALL = "service: mail, action: send"


def codes(folder: Path, text: str, *, services: str | None = None) -> list[tuple[int, str]]:
    """Line and code of each problem; the first line is that of `text`."""
    file = folder / "w.yaml"
    file.write_text(f"{text}\nname: w\n")
    return [(found.place.line, found.code) for found in validate(str(file), services=services)]


def steps(*written: str) -> str:
    return f"{MAIL}\ninput: {{ order: object }}\nsteps:\n" + "\n".join(f"  - {{ {each} }}" for each in written)


def test_every_stage_tells_what_it_finds(tmp_path: Path) -> None:
    text = steps(
        f"name: a, {CALL}, zzz: 1",
        f"name: a, {CALL}",
        "name: b, service: mial, action: send",
        "name: c, service: mail, action: sned, input: $.oder",
        'type: set, values: { x: "${1 +}" }',
    )
    assert codes(tmp_path, text) == [
        (4, "schema.unknown-key"),
        (5, "plan.duplicate-name"),
        (6, "plan.unknown-service"),
        (7, "plan.unknown-action"),
        (7, "plan.unknown-path"),
        (8, "expression.syntax"),
    ]


@pytest.mark.parametrize(
    ("broken", "depends"),
    [
        (f"name: a, {CALL}, outptu: late", "input: $.late"),  # the key may be what the misspelt one was to set
        (f"name: a, {CALL}, output: [late]", "input: $.late"),
        (f"name: a, {CALL}, output: ", "input: $.anything"),
        (f"name: a, type: dance, {CALL}, output: late", "input: $.late"),
        ("type: set, values: 5", "input: $.anything"),
        ("type: set, values: { bad key: 1, late: 2 }", "input: $.late"),
        ("type: foreach, items: $.order, steps: 5", "input: $.anything"),
        (f"name: a, {CALL}, output: x, conditon: false", "input: $.x"),  # it may be skipped, or not
        (f'name: a, {CALL}, output: x, condition: "1 +"', "input: $.x"),
        ("type: fail, conditon: $.order.go", "input: $.order"),  # it may not end the workflow
        ("type: end, condition: 5", "input: $.order"),
        ("type: set, values: { x: 1 }, zzz: 1", 'condition: "$.x + 1 > 1"'),
        (f"type: conditional, condition: [1], then: {{ name: t, {CALL}, output: x }}", "input: $.x"),
        (f"type: conditional, condition: $.order.a, then: {{ name: t, {CALL}, output: x }}, els: 1", "input: $.x"),
        (f"type: conditional, condition: $.order.a, then: {{ name: t, {CALL}, output: x }}, else: 5", "input: $.x"),
        (f"type: try, steps: {{ name: t, {CALL}, output: x }}, catch: [{{ steps: 5 }}]", "input: $.x"),
    ],
)
def test_what_depends_on_a_broken_part_is_not_judged(tmp_path: Path, broken: str, depends: str) -> None:
    found = codes(tmp_path, steps(broken, f"name: z, {CALL}, {depends}"))
    assert [line for line, _ in found] == [4] * len(found)
    assert found


@pytest.mark.parametrize(
    "broken",
    [
        'name: "bad name", type: emit, event: x',
        "type: dance, name: bad name",
        "nmae: bad name, type: emit, event: x",
    ],
)
def test_a_name_may_be_the_one_that_cannot_be_read(tmp_path: Path, broken: str) -> None:
    more = "compensations: { bad-name: { service: mail, action: send } }"
    assert [line for line, _ in codes(tmp_path, f"{steps(broken)}\n{more}")] == [4]


def test_branches_whose_order_is_not_known(tmp_path: Path) -> None:
    first = f"{{ name: a, {CALL}, output: x }}"
    branches = [f"{{ name: b, {CALL}, need: a, input: $.x }}", f"{{ name: c, {CALL}, needs: 5, input: $.x }}"]
    found = codes(tmp_path, steps(f"type: parallel, steps: [{first}, {', '.join(branches)}]"))
    assert {code for _, code in found} == {"schema.unknown-key", "schema.type"}


def test_branches_in_a_circle_are_told_once(tmp_path: Path) -> None:
    circle = f"[{{ name: a, {CALL}, needs: b, input: $.y, output: x }}, {{ name: b, {CALL}, needs: a, input: $.x }}]"
    assert codes(tmp_path, steps(f"type: parallel, steps: {circle}"))[0] == (4, "plan.needs")


@pytest.mark.parametrize(
    ("services", "called"),
    [
        ("services: { mail: { adapter: mock, actions: { send: {} }, zzz: 1 } }", "action: other"),
        ("services: { mail: 5 }", "action: send"),
        ("services: 5", "action: send"),
        ("servces: { mail: { adapter: mock } }", "action: send"),
    ],
)
def test_services_that_cannot_be_read(tmp_path: Path, services: str, called: str) -> None:
    found = codes(tmp_path, f"{services}\nsteps:\n  - {{ name: a, service: mail, {called} }}")
    assert {line for line, _ in found} == {1}


def test_files_are_told_together(tmp_path: Path) -> None:
    """A workflow that is no YAML does not hide what is wrong with its services, and neither the other way round."""
    services = tmp_path / "services.yaml"
    services.write_text("mail: { adapter: mock, actions: { send: {} }, zzz: 1 }")
    assert codes(tmp_path, "steps: [ }", services=str(services)) == [(1, "yaml.sign"), (1, "schema.unknown-key")]
    services.write_text("mail: {")
    found = codes(tmp_path, steps(f"name: a, {CALL}, input: $.oder, zzz: 1"), services=str(services))
    assert found == [(4, "plan.unknown-path"), (4, "schema.unknown-key"), (1, "yaml.bracket")]


def test_a_child_that_is_broken_does_not_hide_its_parent(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text("name: child\ninput: { a: strin }\nsteps: [{ type: end, zzz: 1 }]")
    found = codes(tmp_path, steps("name: a, type: workflow, workflow: child, input: { b: 1 }, zzz: 1"))
    assert sorted(found) == [(2, "schema.value"), (3, "schema.unknown-key"), (4, "schema.unknown-key")]


def test_advice_says_nothing_that_may_follow_from_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    text = steps(
        f"name: a, {CALL}, output: read, compensate: {{ {CALL} }}",
        f"name: b, {CALL}, inputt: $.read",
        "name: c, type: human-task, assignee: ann, timeot: 5m",
    )
    file.write_text(f"{text}\nname: w\n")
    assert {problem.code for problem in lint(str(file), services=None)} == {"schema.unknown-key"}


def test_problems_are_bounded_by_their_kind() -> None:
    errors = [Problem("a", str(line), Place("f", line)) for line in range(MOST_ERRORS + 2)]
    advice = [each._replace(severity="warning") for each in errors]
    found = bounded([*errors, *advice])
    assert len([each for each in found if each.severity == "warning"]) == len(advice) <= MOST_ADVICE
    assert [each.message for each in found if each.code == "schema.more"] == ["and 2 more problems"]
    assert bounded(errors[:3]) == errors[:3]
