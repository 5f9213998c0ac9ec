from typing import Annotated

from wfrun.cli.declare import Arg, AsJson, Home, Opt

EXAMPLE = "wfrun audit export k7m2 --out k7m2.tar"


def command(
    executions: Annotated[tuple[str, ...], Arg("Execution ids, or unique beginnings.", "EXECUTION...", "executions")],
    out: Annotated[str, Opt(("--out", "-o"), "A new archive if it ends with .tar, else a new folder.", "FILE")],
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Put executions, with their children and definitions, into one archive that can be checked anywhere."""
    from wfrun.app import reading
    from wfrun.app.bundling import bundle, write_bundle
    from wfrun.app.executions import find_execution
    from wfrun.cli.invoke import print_json

    opened = reading.open_home(home)
    found = bundle(opened, [find_execution(opened, execution) for execution in executions])
    write_bundle(found, out)
    if as_json:
        heads = [head._asdict() for head in found.heads]
        print_json({"out": out, "files": sorted(found.files), "heads": heads})
    else:
        print(f"{out}: {len(found.heads)} journals, {len(found.files)} files. To check it:  wfrun audit verify {out}")
    return 0
