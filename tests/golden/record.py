"""Records golden journals for a release: `python -m tests.golden.record 0.1`.

Run once, when a release is made. What it wrote is never edited afterwards: a journal that a user has must be read for
ever (C16).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = Path("/var/tmp/wfrun-golden")


class Recorder:
    """Runs the command line in a world of its own and keeps the journals that come of it."""

    def __init__(self, release: str, folder: Path) -> None:
        self._target = Path(__file__).parent / release
        self._folder = folder
        self._env = {
            **os.environ,
            "LOGNAME": "ann",
            "WFRUN_HOME": str(folder / "home"),
            "WFRUN_SANDBOX": str(folder / "sandbox"),
        }

    def wfrun(self, *arguments: str, **env: str) -> None:
        command = [sys.executable, "-m", "wfrun", *arguments, "--quiet"]
        subprocess.run(command, env={**self._env, **env}, check=False, stdout=subprocess.DEVNULL)

    def killed(self, *arguments: str, after: float, **env: str) -> None:
        command = [sys.executable, "-m", "wfrun", *arguments, "--quiet"]
        process = subprocess.Popen(command, env={**self._env, **env}, stdout=subprocess.DEVNULL)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def keep(self, execution: str) -> None:
        (journal,) = (self._folder / "home" / "executions").glob(f"*/{execution}.jsonl")
        case = self._target / execution
        case.mkdir(parents=True)
        shutil.copyfile(journal, case / "journal.jsonl")
        first = json.loads(journal.read_text().splitlines()[0])
        shutil.copyfile(self._folder / "home" / "definitions" / f"{first['definition']}.yaml", case / "definition.yaml")
        command = [sys.executable, "-m", "wfrun", "status", execution, "--json"]
        done = subprocess.run(command, env=self._env, check=True, capture_output=True, text=True)
        (case / "status.json").write_text(done.stdout)


def run(gallery: Path, example: str, input: str = "") -> list[str]:
    folder = gallery / example
    return ["run", str(folder / f"{example}.yaml"), "--input", str(folder / (input or f"{example}.json"))]


def record(recorder: Recorder, gallery: Path) -> None:
    order, loan = run(gallery, "order"), run(gallery, "loan")
    recorder.wfrun(*order, "--id", "completed")
    recorder.wfrun(*order, "--id", "compensated", WFRUN_FAIL="shipping=down")
    recorder.wfrun(*order, "--id", "needs-attention", WFRUN_FAIL="shipping=down,payment.refund=down")
    recorder.wfrun(*order, "--id", "retried", WFRUN_FAIL="crm=timeout:1")
    recorder.killed(*order, "--id", "killed", after=2.5, WFRUN_FAIL="crm=slow:60000")
    recorder.wfrun("resume", "killed")
    recorder.wfrun(*loan, "--id", "waiting")
    recorder.wfrun(*loan, "--id", "approved")
    recorder.wfrun("approve", "approved", "--as", "ann", "--data", "rate=5", "--comment", "as agreed")
    recorder.wfrun(*loan, "--id", "rejected")
    recorder.wfrun("reject", "rejected", "--as", "bob", "--comment", "too much")
    recorder.wfrun(*loan, "--id", "cancelled")
    recorder.wfrun("cancel", "cancelled", "--reason", "changed my mind")
    recorder.wfrun(*run(gallery, "loan", "rejected.json"), "--id", "other-branch")
    for execution in (
        "completed",
        "compensated",
        "needs-attention",
        "retried",
        "killed",
        "waiting",
        "approved",
        "rejected",
        "cancelled",
        "other-branch",
    ):
        recorder.keep(execution)


if __name__ == "__main__":
    # A folder of one name on all machines: it stands in the journals.
    PLACE.mkdir()
    try:
        shutil.copytree(ROOT / "workflows", PLACE / "workflows")
        record(Recorder(sys.argv[1], PLACE), PLACE / "workflows")
    finally:
        shutil.rmtree(PLACE)
