"""The whole system on a machine that does not exist: F8, and the simulated part of F1, F4, F6 and F14.

Processes (runners, resumers, people, sources of events) do what the commands do, on a disk in memory, with services in
memory, by a clock that jumps over idle time. One seed decides about everything: who goes on at each call to the disk,
how long things take, who is killed, when the power fails, which write or sync fails, when the disk is full, what a
service does. The same seed is the same run, to the byte:

    python -m tests.simulation --seed 4711 --trace

What is outside keeps a ledger, and that is the judge: see `oracle`.
"""
