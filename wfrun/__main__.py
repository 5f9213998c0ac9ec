"""`python -m wfrun`."""

from wfrun.cli.main import main

if __name__ == "__main__":
    main()
