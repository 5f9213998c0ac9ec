"""The command line: one face of the facade. See docs/cli.md."""
