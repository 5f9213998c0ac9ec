from __future__ import annotations

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
