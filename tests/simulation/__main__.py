"""Runs seeds and tells what they violate: see the package."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.simulation.simulator import KINDS, simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds")
    parser.add_argument("--kinds", default=",".join(KINDS), help="the kinds of faults")
    parser.add_argument("--trace", action="store_true", help="tell what happens")
    given = parser.parse_args()
    kinds = tuple(filter(None, given.kinds.split(",")))
    faults: Counter[str] = Counter()
    begun, bad = time.perf_counter(), 0
    for seed in range(given.seed, given.seed + given.count):
        result = simulate(seed, kinds, print if given.trace else lambda text: None)
        faults += result.faults
        bad += bool(result.violations)
        for violation in result.violations:
            print(f"seed {seed}: {violation}")
    took = time.perf_counter() - begun
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(faults.items()))
    print(f"{given.count} seeds in {took:.1f} s, {bad} with violations; faults: {told}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
