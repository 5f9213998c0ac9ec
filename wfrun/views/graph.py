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
    """The outline with `├─` and `└─` rails, one line for each step and one for each side of a block that has sides."""
    return list(_level(nodes, "", statuses or {}))


def _level(nodes: Sequence[OutlineNode], rails: str, statuses: Statuses, *, more: bool = False) -> Iterator[TreeLine]:
    """`more`: something else follows below the same rail."""
    for position, node in enumerate(nodes):
        last = position == len(nodes) - 1 and not more
        yield TreeLine(rails + ("└─ " if last else "├─ "), _tree_text(node), statuses.get(node["id"]))
        yield from _inside(node, rails + ("   " if last else "│  "), statuses)


def _inside(node: OutlineNode, rails: str, statuses: Statuses) -> Iterator[TreeLine]:
    sides = [(side, children) for side, children in _sides(node) if children]
    for position, (side, children) in enumerate(sides):
        last = position == len(sides) - 1
        if side is None:
            yield from _level(children, rails, statuses, more=not last)
            continue
        yield TreeLine(rails + ("└─ " if last else "├─ "), side, None)
        yield from _level(children, rails + ("   " if last else "│  "), statuses)


def _sides(node: OutlineNode) -> list[tuple[str | None, list[OutlineNode]]]:
    """The children by branch, as written: those of no branch are the one nameless side."""
    sides: dict[str | None, list[OutlineNode]] = {}
    for child in node["children"]:
        sides.setdefault(child["branch"], []).append(child)
    return list(sides.items())


# Of these it has to be told what they are and are about, not only how they are called.
_TOLD = ("switch", "foreach", "while", "repeat", "try", "wait", "emit", "workflow", "set", "fail", "end")


def _tree_text(node: OutlineNode) -> str:
    """What it is called, what it does, when, and what undoes it: a block without a name is called by its type."""
    condition = node.get("condition")
    undo = node.get("compensation")
    needs = node.get("needs")
    if node["type"] == "conditional":
        parts = [" ".join(part for part in (node["name"], f"if {condition}") if part)]
    elif node["name"] and node["type"] in _TOLD:
        parts = [node["name"], f"{node['type']} {node['label']}".rstrip(), f"if {condition}" if condition else ""]
    else:
        parts = [node["name"] or node["type"], node["label"], f"if {condition}" if condition else ""]
    parts += [f"after {', '.join(needs)}" if needs else "", f"(undo: {undo})" if undo else ""]
    return "  ".join(part for part in parts if part)


_SHAPES = {
    "conditional": ('{"', '"}'),
    "switch": ('{"', '"}'),
    "foreach": ('{{"', '"}}'),
    "while": ('{{"', '"}}'),
    "repeat": ('{{"', '"}}'),
    "parallel": ('[["', '"]]'),
    "try": ('[["', '"]]'),
    "workflow": ('[["', '"]]'),
    "human-task": ('(["', '"])'),
    "wait": ('(["', '"])'),
    "emit": ('>"', '"]'),
    "fail": ('(["', '"])'),
    "end": ('(["', '"])'),
}
_CLASSES = (
    ("completed", "fill:#d3f9d8,stroke:#2b8a3e"),
    ("running", "fill:#d0ebff,stroke:#1864ab"),
    ("retrying", "fill:#fff3bf,stroke:#e67700"),
    ("waiting", "fill:#e5dbff,stroke:#5f3dc4"),
    ("failed", "fill:#ffe3e3,stroke:#c92a2a"),
    ("timed-out", "fill:#ffe3e3,stroke:#c92a2a,stroke-dasharray:4"),
    ("compensating", "fill:#ffe8cc,stroke:#d9480f"),
    ("compensated", "fill:#ffe8cc,stroke:#d9480f"),
    ("cancelled", "fill:#f1f3f5,stroke:#868e96"),
    ("skipped", "fill:#f8f9fa,stroke:#adb5bd,stroke-dasharray:4"),
    ("undo", "fill:none,stroke:#d9480f,stroke-dasharray:4"),
)


Exits: TypeAlias = "list[tuple[str, str]]"


class _Chart:
    """Collects the lines of a flowchart. A fragment is drawn from its entries and answers with its exits.

    An exit is a node and the label of the edge that leaves it, so that the ends of a choice meet in what follows.
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

    def connect(self, exits: Exits, name: str) -> None:
        for source, label in exits:
            arrow = f' -- "{_escape(label)}" --> ' if label else " --> "
            self.lines.append(f"  {source}{arrow}{name}")

    def sequence(self, nodes: Sequence[OutlineNode], exits: Exits) -> Exits:
        for node in nodes:
            exits = self.step(node, exits)
        return exits

    def step(self, node: OutlineNode, exits: Exits) -> Exits:
        """A step with a condition of its own is passed by where that is false."""
        condition = node.get("condition")
        if not condition or node["type"] == "conditional":
            return self.action(node, exits)
        gate = self.node(condition, "conditional")
        self.connect(exits, gate)
        return [*self.action(node, [(gate, "yes")]), (gate, "no")]

    def action(self, node: OutlineNode, exits: Exits) -> Exits:
        if node["type"] == "sequential" and not node.get("compensation"):
            return self.sequence(node["children"], exits)
        status = self._statuses.get(node["id"])
        name = self.node(_chart_text(node), node["type"], None if status == "pending" else status)
        self.connect(exits, name)
        if compensation := node.get("compensation"):
            undo = self.node(f"undo: {compensation}", "call", "undo")
            self.lines.append(f"  {name} -.-> {undo}")
        return self.inside(node, name)

    def inside(self, node: OutlineNode, name: str) -> Exits:
        match node["type"]:
            case "conditional":
                return self.choice(node, name, otherwise=True)
            case "switch":
                return self.choice(node, name, otherwise=False)
            case "parallel":
                return self.branches(node["children"], name)
            case "foreach" | "while" | "repeat":
                return self.loop(node, name)
            case "try":
                return self.attempt(node, name)
            case "fail" | "end":
                return []
        return self.sequence(node["children"], [(name, "")])

    def choice(self, node: OutlineNode, name: str, *, otherwise: bool) -> Exits:
        """One side or the other. `otherwise`: where no side is taken, it goes on behind it."""
        sides = _sides(node)
        exits = [end for side, nodes in sides for end in self.sequence(nodes, [(name, side or "")])]
        missing = [side for side in ("then", "else") if side not in dict(sides)] if otherwise else []
        return [*exits, *((name, side) for side in missing)]

    def branches(self, nodes: Sequence[OutlineNode], name: str) -> Exits:
        """At once, or each after those that it needs."""
        ends: dict[str, Exits] = {}
        waiting = list(nodes)
        while waiting:
            ready = [node for node in waiting if all(need in ends for need in node.get("needs", ()))] or waiting
            for node in ready:
                needed = [end for need in node.get("needs", ()) for end in ends.get(need, ())]
                ends[node["id"]] = self.step(node, needed or [(name, "")])
            waiting = [node for node in waiting if node["id"] not in ends]
        awaited = {need for node in nodes for need in node.get("needs", ())}
        return [end for node in nodes if node["id"] not in awaited for end in ends[node["id"]]]

    def loop(self, node: OutlineNode, name: str) -> Exits:
        """Round and round, back to its node."""
        self.connect(self.sequence(node["children"], [(name, "each" if node["type"] == "foreach" else "again")]), name)
        return [(name, "done")]

    def attempt(self, node: OutlineNode, name: str) -> Exits:
        """What is tried; from its node, as errors may come from anywhere in it, the handlers; `finally` after all."""
        sides = dict(_sides(node))
        last = sides.pop("finally", [])
        exits = self.sequence(sides.pop(None, []), [(name, "")])
        for side, nodes in sides.items():
            exits = [*exits, *self.sequence(nodes, [(name, side or "")])]
        return self.sequence(last, exits or [(name, "")])


def mermaid(title: str, nodes: Sequence[OutlineNode], statuses: Statuses | None = None) -> str:
    """A Mermaid flowchart, top down. Only the classes that are used are defined."""
    chart = _Chart(statuses or {})
    start = chart.node(title, "human-task")
    if ends := chart.sequence(nodes, [(start, "")]):
        chart.connect(ends, chart.node("end", "human-task"))
    classes = [f"  classDef {name} {style}" for name, style in _CLASSES if name in chart.used]
    return "\n".join(["flowchart TD", *chart.lines, *classes])


def _chart_text(node: OutlineNode) -> str:
    if node["type"] == "conditional":
        return ": ".join(part for part in (node["name"], node.get("condition")) if part)
    if node["type"] in _TOLD:
        return ": ".join(part for part in (node["name"] or node["type"], node["label"]) if part)
    return node["name"] or node["type"]


def _escape(text: str) -> str:
    """Mermaid reads quotes, brackets and `#` as its own: they are written as entities, line ends as spaces."""
    return "".join(c if c.isalnum() or c in " .,:-_$=?!+*/'%@" else f"#{ord(c)};" for c in " ".join(text.split()))
