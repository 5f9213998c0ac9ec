"""People who decide at the same moment, each in a process of their own: one is heard, and the others are told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.shell import ROOT, Answer, shell

LOAN = f"{ROOT}/workflows/loan/loan.yaml --input {ROOT}/workflows/loan/loan.json"
PEOPLE = 8
ROUNDS = 3


def decisions(execution: str, folder: Path) -> list[str]:
    """Who decided, by the journal."""
    lines = shell(f"wfrun log {execution} --raw", folder).out.splitlines()
    records = [json.loads(line) for line in lines]
    return [record["by"] for record in records if record["type"] == "task.decided"]


def test_of_many_who_decide_at_once_one_is_heard(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        execution = f"loan-{number}"
        assert shell(f"wfrun run {LOAN} --id {execution}", tmp_path).code == 4

        def decide(person: int, execution: str = execution) -> Answer:
            word = "approve" if person % 2 else "reject"
            return shell(f"wfrun {word} {execution} --data rate=5.9 --as person-{person} --no-resume", tmp_path)

        with ThreadPoolExecutor(PEOPLE) as pool:
            answers = list(pool.map(decide, range(PEOPLE)))
        (winner,) = (person for person, answer in enumerate(answers) if answer.code == 0)
        assert decisions(execution, tmp_path) == [f"person-{winner}"]
        told = [answer for person, answer in enumerate(answers) if person != winner]
        assert {answer.code for answer in told} == {2}
        assert all(f"by person-{winner} at " in answer.out for answer in told), told
        assert shell(f"wfrun resume {execution}", tmp_path).code == (0 if winner % 2 else 1)
