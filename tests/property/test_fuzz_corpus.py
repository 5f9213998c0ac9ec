"""Every target takes anything: what is kept in `tests/fuzz/corpus`, and what comes of it by chance."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.targets import TARGETS
from tests.support.tally import Tally, seed, size
from wfrun.errors import InvalidError
from wfrun.load.yaml import parse_document

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
ENTRIES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
# Most bytes are cheap to refuse, but not in a workflow; data of nearly the right shape goes all the way.
BYTES = {target: size(3_500, 130_000) for target in TARGETS} | {"workflow": size(600, 50_000)}
SHAPES = size(250, 100_000)
SOON_S = 4


def takes(target: str, data: bytes) -> None:
    """Soon, and with the same answer again."""
    started = time.process_time()
    answer = TARGETS[target](data)
    assert time.process_time() - started < SOON_S
    assert TARGETS[target](data) == answer


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_kept_is_taken(path: Path) -> None:
    takes(path.parent.name, path.read_bytes())


def test_every_target_has_a_corpus() -> None:
    assert {path.parent.name for path in ENTRIES} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_bytes_that_are_changed(target: str, tally: Tally) -> None:
    seeded = random.Random(f"{target} {seed()}")
    kept = [path.read_bytes() for path in ENTRIES if path.parent.name == target]
    for _ in range(BYTES[target]):
        tally.add("F10")
        takes(target, changed(seeded.choice(kept), seeded))


def changed(data: bytes, seeded: random.Random) -> bytes:
    """Some bytes replaced, taken out, put in, or said again."""
    found = bytearray(data)
    for _ in range(seeded.randint(1, 4)):
        at, length = seeded.randrange(len(found) + 1), seeded.choice((0, 1, 2, 8, 40))
        piece = seeded.choice((b"", seeded.randbytes(length), bytes(found[at : at + length]) * 2, seeded.choice(SIGNS)))
        found[at : at + length] = piece
    return bytes(found)


SIGNS = [
    b"\0",
    b"\xff",
    b"${",
    b"}",
    b"[" * 80,
    b": ",
    b"\n",
    b"  ",
    b"$.",
    b"&a ",
    b"*a",
    b'"',
    b"'",
    b"1e999",
    b"NaN",
]


@pytest.mark.parametrize("target", ["workflow", "services"])
def test_shapes_that_are_changed(target: str, tally: Tally) -> None:
    """Values of one place in the place of another, so that every key meets every kind of value."""
    seeded = random.Random(f"{target} {seed()}")
    paths = [path for path in ENTRIES if path.parent.name == target]
    values = [data for data in (_data(path) for path in paths) if isinstance(data, dict)]
    pool = [part for data in values for part in parts(data)]
    for _ in range(SHAPES):
        data = json.loads(json.dumps(seeded.choice(values)))
        for _ in range(seeded.randint(1, 5)):
            around = seeded.choice([part for part in parts(data) if isinstance(part, (dict, list)) and part])
            key = seeded.choice(list(around) if isinstance(around, dict) else range(len(around)))
            around[key] = json.loads(json.dumps(seeded.choice([*STRANGE, *pool])))
            if isinstance(around, dict) and seeded.random() < 0.3:
                around[seeded.choice(KEYS)] = around.pop(key)
        tally.add("F10")
        takes(target, json.dumps(data).encode())


def _data(path: Path) -> Any:
    try:
        return parse_document(path.read_bytes(), path.name).data
    except InvalidError:  # one that is kept because it is no YAML
        return None


STRANGE: list[Any] = [
    None,
    5,
    -1,
    0.5,
    True,
    "",
    "$",
    "$.x",
    "${1 +}",
    [],
    {},
    [[]],
    [None],
    {"type": "dance"},
    "no name!",
]
KEYS = ["type", "name", "steps", "catch", "needs", "output", "event", "for", "onError", "compensate", "form", "zzz"]


def parts(data: Any) -> list[Any]:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [data, *(part for value in inner for part in parts(value))]
