from typing import Annotated

from wfrun.cli.declare import Arg, AsJson

EXAMPLE = "wfrun init my-process"


def command(
    folder: Annotated[str, Arg("Folder to write to; it is made if it isn't there.", "FOLDER")] = ".",
    as_json: AsJson = False,
) -> int:
    """Write a commented workflow to start from. Nothing that is there is overwritten."""
    from wfrun.app import authoring
    from wfrun.cli.invoke import print_json

    written = [str(path) for path in authoring.init(folder)]
    if as_json:
        print_json({"files": written})
    else:
        print("\n".join(f"wrote {path}" for path in written))
    return 0
