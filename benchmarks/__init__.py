"""How fast wfrun is: `python -m benchmarks`, one table, everything measured in one run on one machine.

report      a line of the table, and the table as text and JSON
disk        what the disk itself can do, measured before and after everything else
process     a command as a user starts it: time and peak memory
documents   the workflows that are run, and the sizes
commands    lines for commands: reading ones, and a cold run
throughput  lines for work inside one process: orders, one long sequence, resuming
jobs        that work, in a process of its own: `python -m benchmarks.jobs`
peer        the same work on DBOS, if it is installed; dbos_jobs is the program
"""
