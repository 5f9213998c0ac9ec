from typing import Annotated

from wfrun.cli.commands.auditing import DAMAGED
from wfrun.cli.declare import Arg, AsJson, Home, Opt
from wfrun.errors import JournalError

EXAMPLE = "wfrun audit anchor --out /mnt/elsewhere/heads.txt"


def command(
    executions: Annotated[tuple[str, ...], Arg("Executions; all if none is named.", "EXECUTION...", "executions")] = (),
    out: Annotated[str | None, Opt(("--out", "-o"), "Write them to a new file.", "FILE")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Print the last hash of each journal, to be kept where nobody who can write the journals can write."""
    from wfrun.app import reading
    from wfrun.app.evidence import evidence_of
    from wfrun.app.files import write_new_file
    from wfrun.app.heads import head_text, heads_of
    from wfrun.cli.invoke import print_json, report

    found = evidence_of(reading.open_home(home), executions, everything=not executions)
    told = [each for evidence in found for each in heads_of(evidence)]
    heads = [each for each in told if not isinstance(each, JournalError)]
    damaged = [each for each in told if isinstance(each, JournalError)]
    if out is not None:
        write_new_file(out, "".join(f"{head_text(head)}\n" for head in heads).encode())
    if as_json:
        print_json({"heads": [head._asdict() for head in heads]})
    elif out is not None:
        print(f"{out}: {len(heads)} heads. Later:  wfrun audit compare {out}")
    else:
        print("\n".join(map(head_text, heads)))
    for error in damaged:
        report(error, as_json=False)
    return DAMAGED if damaged else 0
