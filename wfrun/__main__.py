"""The command `wfrun`, and `python -m wfrun`."""

import signal

# Where nobody listens for a ^C it ends the process at once. An exception out of the blue could be lost in an import, or
# leave half an object behind; being killed is what everything is made for.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from wfrun.cli.main import main

if __name__ == "__main__":
    main()
