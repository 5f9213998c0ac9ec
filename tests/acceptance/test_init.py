"""`wfrun init` in an empty folder: what it writes runs as it is, and each of its comments is true."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import Answer, shell

RUN = "wfrun run workflow.yaml --input input.json"
FILES = ["input.json", "services/purchasing.py", "workflow.yaml"]


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert shell("wfrun init", tmp_path).code == 0
    return tmp_path


def view(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.out)
    return found


def ledger(starter: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(starter / "services" / "ledger.sqlite")) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY reference").fetchall()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_it_tells_what_it_wrote(tmp_path: Path) -> None:
    answer = shell("wfrun init", tmp_path)
    assert answer.out.splitlines()[:3] == [f"wrote {name}" for name in FILES]
    assert files(tmp_path) == FILES


def test_a_folder_is_made_if_it_is_not_there(tmp_path: Path) -> None:
    answer = shell("wfrun init deep/my-process --json", tmp_path)
    assert view(answer)["files"] == [f"deep/my-process/{name}" for name in FILES]
    assert files(tmp_path / "deep" / "my-process") == FILES


def test_it_is_valid_and_needs_no_advice(starter: Path) -> None:
    assert shell("wfrun validate workflow.yaml", starter) == (0, "workflow.yaml: valid\n")


def test_what_is_cheap_is_bought_at_once(starter: Path) -> None:
    answer = shell(f"{RUN} --id lamp --json", starter)
    assert answer.code == 0
    assert [step["status"] for step in view(answer)["steps"]] == ["completed", "skipped", "completed", "completed"]
    assert ledger(starter, "holds") == [("lamp", 4990)]
    assert ledger(starter, "orders") == [("lamp", "a desk lamp", "general")]
    shown = shell("wfrun status lamp", starter).out
    assert "Noor: a desk lamp is ordered, PO-lamp" in shown


def test_what_is_expensive_waits_for_a_person(starter: Path) -> None:
    assert shell(f"{RUN} --set amount=1200 --id chair", starter).code == 4
    assert "chair/approval" in shell("wfrun tasks --assignee managers", starter).out
    assert shell("wfrun approve chair", starter).code == 3, "the form asks for a cost centre"
    assert shell("wfrun approve chair --data costCentre=IT", starter).code == 0
    assert ledger(starter, "orders") == [("chair", "a desk lamp", "IT")]


def test_a_no_gives_the_budget_back(starter: Path) -> None:
    assert shell(f"{RUN} --set amount=1200 --id chair", starter).code == 4
    assert shell("wfrun reject chair --comment 'we have chairs'", starter).code == 5
    assert (ledger(starter, "holds"), ledger(starter, "orders")) == ([], [])


def test_what_nobody_sells_gives_the_budget_back_without_another_try(starter: Path) -> None:
    answer = shell(f"{RUN} --set product=unicorn --json", starter)
    assert answer.code == 5
    ordered = next(step for step in view(answer)["steps"] if step["step"] == "place-order")
    assert (ordered["attempts"], ordered["error"]["type"]) == (1, "supplier.unknown-product")
    assert ledger(starter, "holds") == []


def test_the_budget_ends_somewhere(starter: Path) -> None:
    answer = shell(f"{RUN} --set amount=10000.01", starter)
    assert answer.code == 1
    assert "budget.exceeded: 0.01 more than the budget allows" in answer.out


def test_an_order_is_cancelled_and_everything_taken_back(starter: Path) -> None:
    assert shell(f"{RUN} --set amount=1200 --id chair", starter).code == 4
    assert shell("wfrun cancel chair --reason 'found one in the cellar'", starter).code == 0
    assert ledger(starter, "holds") == []


def test_the_comments_name_commands_that_work(starter: Path) -> None:
    comments = (starter / "workflow.yaml").read_text().splitlines()[:9]
    told = [match[1].strip() for line in comments if (match := re.match(r"#   (wfrun .*?)(?:  |$)", line))]
    told = [line.replace("<task>", "chair/approval").replace("=1200", "=1200 --id chair") for line in told]
    assert [shell(line, starter).code for line in told] == [0, 4, 0, 0, 5]


@pytest.mark.parametrize("taken", FILES)
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, taken: str) -> None:
    mine = tmp_path / taken
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    answer = shell("wfrun init", tmp_path)
    assert answer.code == 2
    assert f"{taken} is there already" in answer.out
    assert (mine.read_text(), files(tmp_path)) == ("mine", [taken])


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = shell("wfrun init file/inside", tmp_path)
    assert (answer.code, answer.out) == (2, "error[file.unwritable] cannot write to file/inside: Not a directory\n")
