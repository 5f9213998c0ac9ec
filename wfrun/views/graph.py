"""A workflow as a picture: a tree for terminals, a Mermaid flowchart for documents.

Both are drawn from the plan's outline and, for an execution, coloured by what became of each step. They yield text
without terminal codes; whoever prints them adds colour from `status`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from wfrun.views.model import OutlineNode, StatusView, StepStatus


Statuses: TypeAlias = "Mapping[str, StepStatus]"


class TreeLine(NamedTuple):
    """One line of the tree: the branches before it, the text, and the step's status (None: not a step, not run)."""

    rails: str
    text: str
    status: StepStatus | None


def statuses_of(view: StatusView) -> dict[str, StepStatus]:
    return {row["step"]: row["status"] for row in view["steps"]}


def tree(nodes: Sequence[OutlineNode], statuses: Statuses | None = None) -> list[TreeLine]:
    """The outline with `├─` and `└─` rails, one line for each step and one for each side of a conditional."""
    return list(_level(nodes, "", statuses or {}))


def _level(nodes: Sequence[OutlineNode], rails: str, statuses: Statuses) -> Iterator[TreeLine]:
    for position, node in enumerate(nodes):
        last = position == len(nodes) - 1
        yield TreeLine(rails + ("└─ " if last else "├─ "), _tree_text(node), statuses.get(node["id"]))
        yield from _inside(node, rails + ("   " if last else "│  "), statuses)


def _inside(node: OutlineNode, rails: str, statuses: Statuses) -> Iterator[TreeLine]:
    sides = [(side, children) for side, children in _sides(node) if children]
    for position, (side, children) in enumerate(sides):
        if side is None:
            yield from _level(children, rails, statuses)
            continue
        last = position == len(sides) - 1
        yield TreeLine(rails + ("└─ " if last else "├─ "), side, None)
        yield from _level(children, rails + ("   " if last else "│  "), statuses)


def _sides(node: OutlineNode) -> list[tuple[str | None, list[OutlineNode]]]:
    """The children by branch; a block that is no conditional has one nameless side."""
    children = node["children"]
    return [(side, [child for child in children if child["branch"] == side]) for side in (None, "then", "else")]


def _tree_text(node: OutlineNode) -> str:
    """What it is called, what it does, when, and what undoes it: a block without a name is called by its type."""
    condition = node.get("condition")
    if node["type"] == "conditional":
        return " ".join(part for part in (node["name"], f"if {condition}") if part)
    undo = node.get("compensation")
    parts = (
        node["name"] or node["type"],
        node["label"],
        condition and f"if {condition}",
        undo and f"(undo: {undo})",
    )
    return "  ".join(part for part in parts if part)


_SHAPES = {"conditional": ('{"', '"}'), "human-task": ('(["', '"])'), "parallel": ('[["', '"]]')}
_CLASSES = (
    ("completed", "fill:#d3f9d8,stroke:#2b8a3e"),
    ("running", "fill:#d0ebff,stroke:#1864ab"),
    ("retrying", "fill:#fff3bf,stroke:#e67700"),
    ("waiting", "fill:#e5dbff,stroke:#5f3dc4"),
    ("failed", "fill:#ffe3e3,stroke:#c92a2a"),
    ("compensating", "fill:#ffe8cc,stroke:#d9480f"),
    ("compensated", "fill:#ffe8cc,stroke:#d9480f"),
    ("cancelled", "fill:#f1f3f5,stroke:#868e96"),
    ("skipped", "fill:#f8f9fa,stroke:#adb5bd,stroke-dasharray:4"),
    ("undo", "fill:none,stroke:#d9480f,stroke-dasharray:4"),
)


class _Chart:
    """Collects the lines of a flowchart. A fragment is drawn from its entries and answers with its exits.

    An exit is a node and the label of the edge that leaves it, so that both ends of a conditional meet in what follows.
    """

    def __init__(self, statuses: Statuses) -> None:
        self.lines: list[str] = []
        self.used: set[str] = set()
        self._statuses = statuses
        self._count = 0

    def node(self, text: str, type: str, status: str | None = None) -> str:
        self._count += 1
        name = f"n{self._count}"
        opening, closing = _SHAPES.get(type, ('["', '"]'))
        self.lines.append(f"  {name}{opening}{_escape(text)}{closing}" + (f":::{status}" if status else ""))
        if status:
            self.used.add(status)
        return name

    def connect(self, exits: list[tuple[str, str]], name: str) -> None:
        for source, label in exits:
            arrow = f' -- "{_escape(label)}" --> ' if label else " --> "
            self.lines.append(f"  {source}{arrow}{name}")

    def sequence(self, nodes: Sequence[OutlineNode], exits: list[tuple[str, str]]) -> list[tuple[str, str]]:
        for node in nodes:
            exits = self.step(node, exits)
        return exits

    def step(self, node: OutlineNode, exits: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """A step with a condition of its own is passed by where that is false."""
        condition = node.get("condition")
        if not condition or node["type"] == "conditional":
            return self.action(node, exits)
        gate = self.node(condition, "conditional")
        self.connect(exits, gate)
        return [*self.action(node, [(gate, "yes")]), (gate, "no")]

    def action(self, node: OutlineNode, exits: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if node["type"] == "sequential":
            return self.sequence(node["children"], exits)
        status = self._statuses.get(node["id"])
        name = self.node(_chart_text(node), node["type"], None if status == "pending" else status)
        self.connect(exits, name)
        if compensation := node.get("compensation"):
            undo = self.node(f"undo: {compensation}", "call", "undo")
            self.lines.append(f"  {name} -.-> {undo}")
        if node["type"] == "conditional":
            then, otherwise = (side for _, side in _sides(node)[1:])
            return self.sequence(then, [(name, "then")]) + self.sequence(otherwise, [(name, "else")])
        if node["type"] == "parallel":
            return [end for child in node["children"] for end in self.step(child, [(name, "")])]
        return self.sequence(node["children"], [(name, "")])


def mermaid(title: str, nodes: Sequence[OutlineNode], statuses: Statuses | None = None) -> str:
    """A Mermaid flowchart, top down. Only the classes that are used are defined."""
    chart = _Chart(statuses or {})
    start = chart.node(title, "human-task")
    end = chart.sequence(nodes, [(start, "")])
    chart.connect(end, chart.node("end", "human-task"))
    classes = [f"  classDef {name} {style}" for name, style in _CLASSES if name in chart.used]
    return "\n".join(["flowchart TD", *chart.lines, *classes])


def _chart_text(node: OutlineNode) -> str:
    if node["type"] == "conditional":
        condition = node.get("condition") or ""
        return f"{node['name']}: {condition}" if node["name"] else condition
    return node["name"] or node["type"]


def _escape(text: str) -> str:
    """Mermaid reads quotes, brackets and `#` as its own: they are written as entities, line ends as spaces."""
    return "".join(c if c.isalnum() or c in " .,:-_$=?!+*/'%@" else f"#{ord(c)};" for c in " ".join(text.split()))
