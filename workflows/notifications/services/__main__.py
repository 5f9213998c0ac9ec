"""`python -m services --port 8704`, `python -m services state`, `… reset`, `… tell sms slow:300`."""

import sys

from wfrun.sandbox.command import main

from . import email, push, sms, world

# Importing a system is what puts its actions into the world.
SYSTEMS = (email, sms, push)

if __name__ == "__main__":
    sys.exit(main(world))
