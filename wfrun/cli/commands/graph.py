import os
from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Home, Opt

EXAMPLE = "wfrun graph order.yaml --mermaid > order.mmd"


def command(
    subject: Annotated[str, Arg("Workflow file, or the id of an execution.", "WORKFLOW|EXECUTION", "executions")],
    mermaid: Annotated[bool, Opt(("--mermaid",), "A Mermaid flowchart.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Draw a workflow as a tree or a flowchart. An execution is drawn with what became of its steps."""
    from wfrun.app import drawing, reading
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.lists import tree_lines
    from wfrun.views import graph

    opened = reading.open_home(home)
    title, nodes = drawing.outline(opened, subject)
    view = None if os.path.exists(subject) else reading.status(opened, subject)
    statuses = graph.statuses_of(view) if view else {}
    if as_json:
        print_json({"title": title, "nodes": nodes, "statuses": statuses})
    elif mermaid:
        print(graph.mermaid(title, nodes, statuses))
    else:
        print("\n".join(tree_lines(title, graph.tree(nodes, statuses))))
    return 0
