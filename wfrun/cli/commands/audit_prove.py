from wfrun.cli.commands.auditing import DAMAGED, Everything, Subjects, evidence
from wfrun.cli.declare import AsJson, Home

EXAMPLE = "wfrun audit prove k7m2"


def command(subjects: Subjects = (), everything: Everything = False, home: Home = None, as_json: AsJson = False) -> int:
    """Work out again all that followed from what services and people said, and compare. Exits 6 if it was otherwise."""
    from itertools import chain

    from wfrun.app.proving import is_proved, prove
    from wfrun.cli.invoke import print_json
    from wfrun.cli.render.audit import counted, proof_lines

    found = evidence(home, subjects, everything)
    total = sum(len(each.journals) for each in found)
    proofs = list(counted(chain.from_iterable(map(prove, found)), "Proved", total))
    wrong = sum(not is_proved(proof) for proof in proofs)
    if as_json:
        print_json({"proved": len(proofs) - wrong, "wrong": wrong, "executions": proofs})
    else:
        print("\n".join(line for proof in proofs for line in proof_lines(proof)))
    return DAMAGED if wrong else 0
