from wfrun.cli.commands.auditing import DAMAGED, Everything, Subjects, evidence
from wfrun.cli.declare import AsJson, Home

EXAMPLE = "wfrun audit verify --all"


def command(subjects: Subjects = (), everything: Everything = False, home: Home = None, as_json: AsJson = False) -> int:
    """Check that journals are what was written: every byte, line and stored file. Exits 6 if anything is damaged."""
    from itertools import chain

    from wfrun.app.auditing import is_damaged, verify
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.audit import counted, damage_lines, verified_line

    found = evidence(home, subjects, everything)
    total = sum(len(each.journals) for each in found)
    checked = list(counted(chain.from_iterable(map(verify, found)), "Verified", total))
    damaged = sum(map(is_damaged, checked))
    if as_json:
        print_json({"damaged": damaged, "files": checked})
    else:
        lines = [line for each in checked for finding in each["findings"] for line in damage_lines(finding)]
        print("\n".join([*lines, verified_line(checked, damaged)]))
    return DAMAGED if damaged else 0
