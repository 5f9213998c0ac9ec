"""Coverage-guided fuzzing of one target, beginning with what is kept; what fails is written to the working directory.

    pip install -e '.[fuzz]'
    python -m tests.fuzz.run workflow -max_total_time=600

Arguments behind the target are libFuzzer's.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["wfrun"]):
        from tests.fuzz.targets import TARGETS
    name, *options = sys.argv[1:]
    target = TARGETS[name]
    found = Path("fuzz-corpus") / name  # new inputs go here: those of the repository stay few
    found.mkdir(parents=True, exist_ok=True)
    corpus = Path(__file__).parent / "corpus" / name
    atheris.Setup([sys.argv[0], *options, str(found), str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
