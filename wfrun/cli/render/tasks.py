"""Tasks for people: what is asked of whom, until when, and the command that answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wfrun.cli.text import Cell, columns, paint, safe
from wfrun.views.instants import clock
from wfrun.views.tasks import REJECTED, assignee_names, may_decide

if TYPE_CHECKING:
    from wfrun.core.values import Json
    from wfrun.views.model import ChildView, Summary, TaskView

SHOWN = 5
APPROVED = "approved"


def task_lines(task: TaskView) -> list[str]:
    """A task below the status of its execution."""
    people = ", ".join(assignee_names(task["assignee"])) or "anyone"
    quorum = _quorum(task) if task["quorum"] > 1 else ""
    raised = f", escalated {task['escalated']}×" if task["escalated"] else ""
    about = f"{safe(task['title'] or task['step'])}: for {safe(people)}"
    if task["overdue"]:
        late = f"{paint('red', 'Overdue')}  {about}, since {_due(task)}{quorum}{raised}"
        return [late, f"Its time is over. To let it expire or escalate:  wfrun resume {task['execution']}"]
    due = f", until {_due(task)}" if task["due"] else ""
    return [
        f"{paint('magenta', 'Waiting')}  {about}{due}{quorum}{raised}",
        *(f"  wfrun approve {task['task']}{_decision(word)}{_answers(task['form'])}" for word in _words(task)),
        f"  wfrun reject {task['task']} --comment 'why'",
        *_stuck(task),
    ]


def _stuck(task: TaskView) -> list[str]:
    """What can still be done about a task on which too few have agreed."""
    if not task["stuck"]:
        return []
    people = may_decide(task) or set()
    if len(people) < task["quorum"]:
        told = f"{task['quorum']} people have to decide alike, and only {len(people)} may: it can only be rejected."
    else:
        told = "They do not agree, and nobody else may decide: whoever has decided may still decide otherwise."
    return [told]


def _words(task: TaskView) -> list[str]:
    """What it can be decided as, besides `rejected`, which settles every task."""
    return [word for word in task["decisions"] if word != REJECTED]


def _decision(word: str) -> str:
    from shlex import quote

    return "" if word == APPROVED else f" --decision {safe(quote(word))}"


def _quorum(task: TaskView) -> str:
    """How many are alike, which is what counts."""
    votes = Counter(vote["decision"] for vote in task["votes"])
    if len(votes) < 2:
        return f", {votes.total()} of {task['quorum']} decided"
    told = ", ".join(f"{count} {safe(word)}" for word, count in votes.most_common())
    return f", {max(votes.values())} of {task['quorum']} decided alike ({told})"


def tasks_of_children(children: Sequence[ChildView]) -> list[list[str]]:
    """What the executions wait for that this one runs."""
    tasks = [task for child in children for task in child["tasks"]]
    more = len(tasks) - SHOWN
    shown = [task_lines(task) for task in tasks[:SHOWN]]
    return [*shown, [f"… and {more:,} more tasks:  wfrun tasks"]] if more > 0 else shown


def task_table(tasks: Sequence[TaskView]) -> list[str]:
    own = any(_words(task) != [APPROVED] for task in tasks)
    names = ("TASK", "WORKFLOW", "TITLE", "FOR", "DUE", *(("DECISIONS",) if own else ()), "FORM", "DATA")
    lines = columns([[Cell(word, "dim") for word in names], *(_row(task, own) for task in tasks)])
    late = list(dict.fromkeys(task["execution"] for task in tasks if task["overdue"]))
    if late:
        lines += ["", "What is overdue expires or escalates when its execution goes on:"]
    return [*lines, *(f"  wfrun resume {execution}" for execution in late)]


def unknown_table(rows: Sequence[Summary]) -> list[str]:
    """Executions that wait for a word about a call: nobody in particular is asked."""
    if not rows:
        return []
    lines = [f"  wfrun status {row['execution']}  # {safe(', '.join(row['unknown']))}" for row in rows]
    return ["", "Somebody has to say what became of calls whose runner ended:", *lines]


def _row(task: TaskView, own: bool) -> list[Cell]:
    people = ", ".join(assignee_names(task["assignee"]))
    data = json.dumps(task["data"], ensure_ascii=False, sort_keys=True) if task["data"] is not None else ""
    due = Cell(f"{_due(task)} overdue", "red") if task["overdue"] else Cell(_due(task))
    about = map(Cell, (task["task"], task["workflow"], task["title"] or task["step"], people))
    words = [Cell(", ".join(dict.fromkeys([*task["decisions"], REJECTED])))] if own else []
    return [*about, due, *words, Cell(_fields(task["form"]) or "-"), Cell(data)]


def _due(task: TaskView) -> str:
    return clock(task["due"]) if task["due"] else "-"


def _answers(form: Mapping[str, Json]) -> str:
    """The fields that an approval has to fill in, as options."""
    return "".join(f" --data {safe(name)}=…" for name, field in form.items() if not _kind(field).endswith("?"))


def _fields(form: Mapping[str, Json]) -> str:
    """`rate: number, note: string?`, as a workflow declares them: what may be left out has a question mark."""
    return ", ".join(f"{name}: {_kind(field)}" for name, field in form.items())


def _kind(field: Json) -> str:
    declared = field.get("type", "any") if isinstance(field, dict) else field
    kind = "|".join(map(str, declared)) if isinstance(declared, list) else str(declared)
    has_default = isinstance(field, dict) and "default" in field
    return f"{kind}?" if has_default and not kind.endswith("?") else kind
