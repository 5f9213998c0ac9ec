"""`python -m services --port 8702`, `python -m services state`, `… reset`, `… tell credit-bureau down:2`."""

import sys

from wfrun.sandbox.command import main

from . import appraisal, credit_bureau, documents, email, funding, signature, underwriting, verification, world

# Importing a system is what puts its actions into the world.
SYSTEMS = (credit_bureau, verification, appraisal, underwriting, documents, signature, funding, email)

if __name__ == "__main__":
    sys.exit(main(world))
