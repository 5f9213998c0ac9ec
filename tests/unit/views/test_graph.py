from __future__ import annotations

import re
from typing import Any

from wfrun.views.graph import mermaid, tree
from wfrun.views.model import OutlineNode


def node(id: str, type: str = "call", *children: OutlineNode, **more: Any) -> OutlineNode:
    base: dict[str, Any] = {"id": id, "name": id, "type": type, "label": "", "branch": None}
    return {**base, "children": list(children), **more}  # type: ignore[typeddict-item]


LOAN = [
    node("credit-check", label="bureau.check"),
    node(
        "steps[1]",
        "conditional",
        node("both", "parallel", node("underwrite"), node("documents"), branch="then"),
        node("approve", "human-task", branch="then"),
        node("reject", branch="else"),
        name="",
        label="$.score >= 680",
        condition="$.score >= 680",
    ),
    node("archive"),
]


def drawn(statuses: dict[str, Any] | None = None) -> list[str]:
    return [line.rails + line.text for line in tree(LOAN, statuses)]


def test_tree() -> None:
    assert drawn() == [
        "├─ credit-check  bureau.check",
        "├─ if $.score >= 680",
        "│  ├─ then",
        "│  │  ├─ both",
        "│  │  │  ├─ underwrite",
        "│  │  │  └─ documents",
        "│  │  └─ approve",
        "│  └─ else",
        "│     └─ reject",
        "└─ archive",
    ]


def test_tree_names_blocks_by_type_and_shows_conditions() -> None:
    lines = tree([node("steps[0]", "parallel", node("a", label="s.act", condition="$.x"), name="")])
    assert [line.rails + line.text for line in lines] == ["└─ parallel", "   └─ a  s.act  if $.x"]


def test_tree_without_an_else_side() -> None:
    lines = tree([node("c", "conditional", node("a", branch="then"), condition="$.x")])
    assert [line.rails + line.text for line in lines] == ["└─ c if $.x", "   └─ then", "      └─ a"]


def test_tree_carries_status_by_step() -> None:
    lines = tree(LOAN, {"credit-check": "completed", "approve": "waiting"})
    assert {line.text: line.status for line in lines if line.status} == {
        "credit-check  bureau.check": "completed",
        "approve": "waiting",
    }


def test_mermaid_branches_meet_again() -> None:
    chart = mermaid("loan", LOAN).splitlines()
    assert chart == [
        "flowchart TD",
        '  n1(["loan"])',
        '  n2["credit-check"]',
        "  n1 --> n2",
        '  n3{"$.score #62;= 680"}',
        "  n2 --> n3",
        '  n4[["both"]]',
        '  n3 -- "then" --> n4',
        '  n5["underwrite"]',
        "  n4 --> n5",
        '  n6["documents"]',
        "  n4 --> n6",
        '  n7(["approve"])',
        "  n5 --> n7",
        "  n6 --> n7",
        '  n8["reject"]',
        '  n3 -- "else" --> n8',
        '  n9["archive"]',
        "  n7 --> n9",
        "  n8 --> n9",
        '  n10(["end"])',
        "  n9 --> n10",
    ]


def test_mermaid_an_empty_else_goes_on_directly() -> None:
    chart = mermaid("w", [node("c", "conditional", node("a", branch="then"), condition="$.x"), node("b")])
    assert '  n2 -- "else" --> n4' in chart.splitlines()


def test_mermaid_draws_sequences_without_a_node_of_their_own() -> None:
    chart = mermaid("w", [node("p", "parallel", node("s", "sequential", node("a"), node("b")), node("c"))])
    assert chart.splitlines()[3:-2] == [
        "  n1 --> n2",
        '  n3["a"]',
        "  n2 --> n3",
        '  n4["b"]',
        "  n3 --> n4",
        '  n5["c"]',
        "  n2 --> n5",
        '  n6(["end"])',
    ]


LANGUAGE = [
    node(
        "kind",
        "switch",
        node("parcel", branch="$.kind == 'parcel'"),
        node("letter", branch="$.kind == 'letter'"),
        node("stop", "fail", branch="else", label="unknown-kind"),
    ),
    node("all", "foreach", node("ship", "workflow", label="shipping.yaml"), label="order of $.orders"),
    node("guard", "try", node("pay"), node("tell", "emit", branch="catch http.5*"), node("log", branch="finally")),
    node("paid", "wait", label="event payment.received"),
]


def test_tree_of_blocks_with_sides() -> None:
    assert [line.rails + line.text for line in tree(LANGUAGE)] == [
        "├─ kind  switch",
        "│  ├─ $.kind == 'parcel'",
        "│  │  └─ parcel",
        "│  ├─ $.kind == 'letter'",
        "│  │  └─ letter",
        "│  └─ else",
        "│     └─ stop  fail unknown-kind",
        "├─ all  foreach order of $.orders",
        "│  └─ ship  workflow shipping.yaml",
        "├─ guard  try",
        "│  ├─ pay",
        "│  ├─ catch http.5*",
        "│  │  └─ tell  emit",
        "│  └─ finally",
        "│     └─ log",
        "└─ paid  wait event payment.received",
    ]


def edges(*nodes: OutlineNode) -> list[str]:
    """The arrows of a chart, by what stands at their ends."""
    lines = mermaid("w", list(nodes)).splitlines()
    drawn = (re.match(r"  (n\d+)\W+\"(.*?)\"", line) for line in lines if "--" not in line)
    names = {found[1]: found[2] for found in drawn if found}
    return [re.sub(r"n\d+", lambda name: names[name[0]], line.strip()) for line in lines if "--" in line]


def test_mermaid_takes_one_case_and_goes_on_nowhere_after_a_failure() -> None:
    assert edges(LANGUAGE[0], node("after")) == [
        "w --> kind",
        "kind -- \"$.kind == 'parcel'\" --> parcel",
        "kind -- \"$.kind == 'letter'\" --> letter",
        'kind -- "else" --> stop: unknown-kind',
        "parcel --> after",
        "letter --> after",
        "after --> end",
    ]


def test_mermaid_goes_round() -> None:
    assert edges(LANGUAGE[1], node("poll", "repeat", node("ask"), label="until $.done")) == [
        "w --> all: order of $.orders",
        'all: order of $.orders -- "each" --> ship: shipping.yaml',
        "ship: shipping.yaml --> all: order of $.orders",
        'all: order of $.orders -- "done" --> poll: until $.done',
        'poll: until $.done -- "again" --> ask',
        "ask --> poll: until $.done",
        'poll: until $.done -- "done" --> end',
    ]


def test_mermaid_catches_and_comes_together_in_finally() -> None:
    assert edges(LANGUAGE[2]) == [
        "w --> guard",
        "guard --> pay",
        'guard -- "catch http.5*" --> tell',
        "pay --> log",
        "tell --> log",
        "log --> end",
    ]


def test_mermaid_draws_what_a_branch_needs() -> None:
    block = node("p", "parallel", node("c", needs=["a", "b"]), node("a"), node("b", needs=["a"]), node("d"))
    assert edges(block) == ["w --> p", "p --> a", "p --> d", "a --> b", "a --> c", "b --> c", "c --> end", "d --> end"]
    assert tree([block])[1].text == "c  after a, b"


def test_mermaid_ends_where_the_workflow_does() -> None:
    assert edges(node("stop", "end")) == ["w --> stop"]
    assert "end" not in mermaid("w", [node("stop", "fail")])


def test_mermaid_shapes() -> None:
    chart = mermaid("w", LANGUAGE)
    for shape in (
        '{"kind"}',
        '{{"all: order of $.orders"}}',
        '[["guard"]]',
        '>"tell"]',
        '(["paid: event payment.received"])',
    ):
        assert shape in chart


def test_mermaid_draws_a_sequence_that_is_undone_as_a_whole() -> None:
    chart = mermaid("w", [node("s", "sequential", node("a"), compensation="shop.undo")])
    assert '  n2["s"]' in chart
    assert '["undo: shop.undo"]:::undo' in chart


def test_tree_says_what_undoes_a_step() -> None:
    (line,) = tree([node("pay", label="bank.charge", condition="$.x", compensation="bank.refund")])
    assert line.text == "pay  bank.charge  if $.x  (undo: bank.refund)"


def test_mermaid_passes_by_what_has_a_condition() -> None:
    chart = mermaid("w", [node("gift", condition="$.big"), node("pay")])
    assert chart.splitlines()[2:-2] == [
        '  n2{"$.big"}',
        "  n1 --> n2",
        '  n3["gift"]',
        '  n2 -- "yes" --> n3',
        '  n4["pay"]',
        "  n3 --> n4",
        '  n2 -- "no" --> n4',
    ]


def test_mermaid_shows_conditions_of_blocks_and_names_of_conditionals() -> None:
    block = node("s", "sequential", node("a"), condition="$.x")
    choice = node("c", "conditional", node("b", branch="then"), condition="$.y")
    chart = mermaid("w", [block, choice]).splitlines()
    assert '  n2{"$.x"}' in chart
    assert '  n4{"c: $.y"}' in chart


def test_mermaid_hangs_what_undoes_a_step_on_it_with_dashes() -> None:
    chart = mermaid("w", [node("pay", compensation="bank.refund"), node("ship")]).splitlines()
    assert chart[2:7] == [
        '  n2["pay"]',
        "  n1 --> n2",
        '  n3["undo: bank.refund"]:::undo',
        "  n2 -.-> n3",
        '  n4["ship"]',
    ]
    assert chart[-1].startswith("  classDef undo ")


def test_mermaid_colours_what_ran() -> None:
    chart = mermaid("w", [node("a"), node("b")], {"a": "completed", "b": "pending"})
    assert '  n2["a"]:::completed' in chart
    assert '  n3["b"]\n' in chart
    assert chart.count("classDef") == 1


def test_mermaid_text_cannot_break_out() -> None:
    chart = mermaid('x"] --> evil[";\n%%', [])
    assert chart.splitlines()[1] == '  n1(["x#34;#93; --#62; evil#91;#34;#59; %%"])'
