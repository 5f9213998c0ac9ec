"""`python -m services --port 8703`, `python -m services state`, `… reset`, `… tell payments down:2`."""

import sys

from wfrun.sandbox.command import main

from . import payments, policy, world

# Importing a system is what puts its actions into the world.
SYSTEMS = (policy, payments)

if __name__ == "__main__":
    sys.exit(main(world))
