"""`make demo`'s script: it tells the truth, can be run again, and notices when something is not as it should be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.shell import ROOT, Answer, shell

COMMAND = "sh workflows/order/demo.sh"
CHECKS = 10


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the script needs of the repository."""
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return tmp_path


def stand_in(checkout: Path, name: str, script: str) -> str:
    """A PATH on which `name` is another program."""
    folder = checkout / "bin"
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return f"PATH={folder}:$PATH"


def marks(answer: Answer) -> tuple[int, int]:
    lines = answer.out.splitlines()
    return sum(line.startswith("  ok ") for line in lines), sum(line.startswith("  NOT SO ") for line in lines)


def test_it_tells_the_story_again_and_again(checkout: Path) -> None:
    for _ in range(2):
        answer = shell(COMMAND, checkout, WFRUN_FAIL="orders=down")
        assert (answer.code, marks(answer)) == (0, (CHECKS, 0)), answer.out
    assert "$ wfrun run workflows/order/order.yaml --input workflows/order/order.json\n" in answer.out
    assert "\x1b" not in answer.out
    assert len(answer.out.splitlines()) <= 100, "short enough to be read"
    assert sorted(path.name for path in checkout.iterdir()) == [".demo", "workflows"]


def test_a_runner_that_does_nothing_is_noticed(checkout: Path) -> None:
    answer = shell(f"{stand_in(checkout, 'wfrun', 'exit 0')} {COMMAND}", checkout)
    assert answer.code == 1
    assert marks(answer)[1] >= 5


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_double_charge_is_noticed(checkout: Path) -> None:
    services = checkout / "workflows" / "order" / "services"
    change(
        services / "__init__.py",
        "CREATE UNIQUE INDEX charged ON charges (reference) WHERE refunded_at IS NULL;",
        "",
    )
    change(services / "payment.py", "call.db.execute(", "for _ in range(2): call.db.execute(")
    answer = shell(COMMAND, checkout)
    assert answer.code == 1
    assert "NOT SO  charged once" in answer.out


def test_a_refund_that_is_forgotten_is_noticed(checkout: Path) -> None:
    forgotten = "process-payment: { service: payment, action: refund, input: { reference: $.execution.id } }"
    change(checkout / "workflows" / "order" / "order.yaml", forgotten, "")
    answer = shell(COMMAND, checkout)
    assert answer.code == 1
    assert "NOT SO  process-payment was undone first" in answer.out
