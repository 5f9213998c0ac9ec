from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Opt

EXAMPLE = "wfrun schema > workflow.schema.json"


def command(
    name: Annotated[str, Arg("Which one; `workflow` if none is named.", "NAME")] = "workflow",
    listed: Annotated[bool, Opt(("--list",), "List the schemas instead.")] = False,
    as_json: AsJson = False,
) -> int:
    """Print a JSON Schema, complete in one file: of workflows, of other files, or of what a command prints."""
    from wfrun.app import schemas
    from wfrun.cli.invoke import print_json
    from wfrun.cli.text import columns

    if not listed:
        print_json(schemas.bundled(name))
    elif as_json:
        print_json({"schemas": [each._asdict() for each in schemas.described()]})
    else:
        print("\n".join(columns([[each.name, each.title] for each in schemas.described()])))
    return 0
