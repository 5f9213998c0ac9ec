from typing import Annotated

from wfrun.cli.commands.auditing import DAMAGED
from wfrun.cli.declare import Arg, AsJson, Home

EXAMPLE = "wfrun audit compare /mnt/elsewhere/heads.txt"


def command(
    heads: Annotated[str, Arg("What `audit anchor` wrote; - for standard input.", "FILE")],
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """Find journals that were cut off, rewritten or taken away since their heads were kept. Exits 6 if any was."""
    from wfrun.app import reading
    from wfrun.app.heads import compare, read_heads
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.audit import difference_line
    from wfrun.cli.values import read_bytes

    found = compare(reading.open_home(home), read_heads(read_bytes(heads).decode(errors="replace"), heads))
    if as_json:
        print_json(found)
    else:
        lines = [difference_line(each) for each in found["differences"]]
        verdict = f"{len(lines)} not what they were" if lines else "all still there, as they were"
        grown = f", {found['grown']} of them longer now" if found["grown"] else ""
        removed = f", {found['removed']} removed by `wfrun gc`" if found["removed"] else ""
        print("\n".join([*lines, f"{found['compared']} compared{grown}{removed}: {verdict}"]))
    return DAMAGED if found["differences"] else 0
