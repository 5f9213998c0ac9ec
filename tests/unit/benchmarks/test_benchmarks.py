"""The benchmarks measure what they say. How fast anything is, no test asserts: the machine is never quiet."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import documents
from benchmarks.__main__ import main
from benchmarks.commands import cold_lines, read_lines
from benchmarks.disk import group_sync_ms, sync_ms
from benchmarks.documents import FAILING, ORDER, STEPS_OF, TINY, write_sequence
from benchmarks.jobs import CountingFiles, orders, sequence
from benchmarks.peer import Peer, find_peer
from benchmarks.process import BenchmarkFailedError, measure, measure_json
from benchmarks.report import Line, number, text_table
from benchmarks.throughput import order_lines, resume_lines, sequence_lines
from benchmarks.workflows.noop import REACHED
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal


@pytest.fixture
def no_peer(tmp_path: Path) -> Peer:
    return Peer("", "", tmp_path)


def steps_in(home: Path) -> list[list[str]]:
    """Of every execution, the outcomes of its steps in order."""
    state = Home(home)
    outcomes = ("step.completed", "step.failed")
    return [[record["step"] for record in Journal.read(state, id) if record["type"] in outcomes] for id in state.ids()]


class TestLine:
    def test_the_median_is_held_against_the_aim(self) -> None:
        assert Line("a", "ms", [9, 1, 5], aim=5).kept is True
        assert Line("a", "ms", [9, 1, 5], aim=4).kept is False
        assert Line("a", "ms", [1]).kept is None

    def test_a_rate_should_be_at_least_its_aim(self) -> None:
        assert Line("a", "steps/s", [9, 1, 5], aim=5).kept is True
        assert Line("a", "steps/s", [9, 1, 5], aim=6).kept is False

    def test_a_ratio_above_one_means_better_than_the_peer(self) -> None:
        assert Line("a", "ms", [10], peer=40).ratio == 4
        assert Line("a", "steps/s", [40], peer=10).ratio == 4
        assert Line("a", "ms", [10]).ratio is None

    def test_as_json(self) -> None:
        assert Line("a", "ms", [3, 1, 2], aim=2, peer=4).as_json() == {
            "name": "a",
            "unit": "ms",
            "median": 2,
            "low": 1,
            "high": 3,
            "runs": 3,
            "aim": 2,
            "kept": True,
            "peer": 4,
            "ratio": 2,
        }


class TestTable:
    def test_every_line_is_told_with_aim_and_peer(self) -> None:
        lines = [Line("fast", "ms", [1.25], aim=2, peer=5), Line("slow", "steps/s", [900, 1_100], aim=12_345)]
        head, fast, slow = text_table(lines, "Peer 1.0").splitlines()
        assert "Peer 1.0" in head
        assert fast.split() == ["fast", "1.25", "ms", "1.25", "…", "1.25", "≤", "2", "kept", "5", "4.0", "×"]
        assert slow.split() == ["slow", "1,000", "steps/s", "900", "…", "1,100", "≥", "12,345", "missed"]

    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0"), (0.2814, "0.281"), (4.351, "4.35"), (28.96, "29.0"), (12_345.6, "12,346")]
    )
    def test_numbers_have_the_digits_that_matter(self, value: float, text: str) -> None:
        assert number(value) == text


class TestProcess:
    def test_a_command_is_measured_from_outside(self) -> None:
        measured = measure([sys.executable, "-c", "print('x' * 3)"])
        assert measured.output == "xxx\n"
        assert measured.ms > 0
        assert measured.memory_mb > 1

    def test_a_figure_of_a_command_that_failed_is_refused(self) -> None:
        with pytest.raises(BenchmarkFailedError, match="ended with 3: why"):
            measure([sys.executable, "-c", "import sys; sys.stderr.write('why'); sys.exit(3)"])

    def test_a_job_reports_in_its_last_line(self) -> None:
        assert measure_json([sys.executable, "-c", "print('noise'); print('{\"seconds\": 1}')"]) == {"seconds": 1}


def test_the_disk_is_measured(tmp_path: Path) -> None:
    assert sync_ms(tmp_path, 2) > 0
    group = group_sync_ms(tmp_path, 2)
    assert group is None or group > 0


class TestJobs:
    def test_each_order_takes_the_steps_that_are_counted(self, tmp_path: Path) -> None:
        report = orders(str(tmp_path / "home"), str(ORDER), 3, 2)
        assert report["statuses"] == {"completed": 3}
        assert report["seconds"] > 0
        assert report["syncs"] > 0
        # Two went before, as many as run at a time.
        assert [len(steps) for steps in steps_in(tmp_path / "home")] == [STEPS_OF[ORDER]] * 5

    def test_a_failing_order_is_compensated_step_by_step(self, tmp_path: Path) -> None:
        report = orders(str(tmp_path / "home"), str(FAILING), 1, 1)
        assert report["statuses"] == {"compensated": 1}
        done = ["validate", "check", "reserve", "pay", "ship"]
        expected = [*done, "crm", *(f"compensate:{step}" for step in reversed(done))]
        assert steps_in(tmp_path / "home") == [expected, expected]
        assert len(expected) == STEPS_OF[FAILING]

    def test_a_sequence_counts_steps_and_syncs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(REACHED, str(tmp_path / "reached"))
        report = sequence(str(tmp_path / "home"), str(write_sequence(tmp_path, 3)))
        assert report["steps"] == 4
        assert report["seconds"] > 0
        assert report["syncs"] >= 4
        assert float((tmp_path / "reached").read_text()) > 0

    def test_every_kind_of_sync_is_counted(self, tmp_path: Path) -> None:
        files = CountingFiles()
        fd = files.create(str(tmp_path / "file"))
        files.sync(fd)
        files.sync_directory(str(tmp_path))
        files.close(fd)
        assert files.syncs == 2


class TestLines:
    def test_commands_that_read(self, tmp_path: Path) -> None:
        lines = read_lines(tmp_path, TINY)
        assert [line.unit for line in lines] == ["ms"] * 6
        assert [line.aim for line in lines] == [None, *[60] * 5]
        assert {len(line.values) for line in lines} == {TINY.runs * 3}

    def test_a_cold_run(self, tmp_path: Path, no_peer: Peer) -> None:
        new, later, memory = cold_lines(tmp_path, TINY, no_peer)
        assert (new.aim, later.aim, memory.aim) == (150, 150, 45)
        assert memory.unit == "MB"
        assert steps_in(tmp_path / "cold-0") == [["first", "second", "third"]] * 2

    def test_orders(self, tmp_path: Path, no_peer: Peer) -> None:
        lines = order_lines(tmp_path, TINY, no_peer)
        assert [(line.unit, line.aim, len(line.values)) for line in lines] == [("steps/s", 10_000, 1)] * 2

    def test_one_long_sequence(self, tmp_path: Path, no_peer: Peer) -> None:
        rate, syncs = sequence_lines(tmp_path, TINY, no_peer)
        assert (rate.unit, rate.aim) == ("steps/s", 2_000)
        assert (syncs.unit, syncs.aim) == ("syncs", 1.5)

    def test_resuming_goes_on_where_the_first_process_died(self, tmp_path: Path, no_peer: Peer) -> None:
        (line,) = resume_lines(tmp_path, TINY, no_peer)
        assert (line.unit, line.aim) == ("ms", 200)
        assert line.median > 0
        finished = [f"step-{number}" for number in range(TINY.steps)]
        assert steps_in(tmp_path / "stopped") == [finished]
        assert steps_in(tmp_path / "resumed-0") == [[*finished, "stop"]]


class TestPeer:
    def test_without_one_its_column_stays_empty(self, tmp_path: Path) -> None:
        peer = find_peer("/nonexistent/python", tmp_path / "peer")
        assert peer.name == "no peer"
        assert peer.cold(1) == []
        assert peer.rate("order", 1, 1, "1") is None
        assert peer.resume(1, tmp_path / "reached", REACHED) is None

    @pytest.mark.skipif(find_spec("dbos") is None, reason="dbos is not installed")
    def test_it_does_the_same_work(self, tmp_path: Path) -> None:
        peer = find_peer(sys.executable, tmp_path / "peer")
        assert peer.name.startswith("DBOS ")
        for job in ("order", "failing"):
            assert (peer.rate(job, 1, 1, "1") or 0) > 0
        assert (peer.rate("sequence", 2, 1) or 0) > 0
        assert (peer.resume(2, tmp_path / "reached", REACHED) or 0) > 0


def test_the_whole_report_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--tiny", "--json", "--folder", str(tmp_path), "--peer-python", "/nonexistent/python"])
    report = json.loads(capsys.readouterr().out)
    assert report["peer"] == "no peer"
    assert set(report["machine"]) == {"python", "cpus", "system"}
    names = [line["name"] for line in report["lines"]]
    assert names[0] == "fdatasync"
    assert len(names) == len(set(names)) >= 14
    assert list(tmp_path.iterdir()) == [], "homes are removed at the end"


def test_the_documents_are_those_of_the_folder() -> None:
    assert {path.name for path in documents.FOLDER.glob("*.yaml")} == {"order.yaml", "failing.yaml", "three.yaml"}
