"""`python -m services --port 8701`, `python -m services state`, `… reset`, `… tell payment decline`."""

import sys

from wfrun.sandbox.command import main

from . import crm, email, inventory, orders, payment, shipping, warehouse, world

# Importing a system is what puts its actions into the world.
SYSTEMS = (orders, inventory, warehouse, payment, shipping, crm, email)

if __name__ == "__main__":
    sys.exit(main(world))
