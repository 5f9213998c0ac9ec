"""What a doctor finds, and what is safe to do about it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.loans import started
from wfrun.app import doctoring
from wfrun.app.doctoring import Finding, doctor
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal
from wfrun.journal.marks import FAILED
from wfrun.journal.mounts import file_system

LONG_AGO = 1_000_000_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return started(tmp_path)


@pytest.fixture(autouse=True)
def on_a_good_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has: its temporary folder may be in memory."""
    monkeypatch.setattr(doctoring, "file_system", lambda path: "ext4")
    monkeypatch.setattr(doctoring, "LEAST_FREE", 0)
    monkeypatch.setattr(doctoring, "LEAST_FREE_NAMES", 0)


def found(home: Home, *, fix: bool = False) -> list[Finding]:
    return doctor(Home(home.path), fix=fix)["findings"]


def only(home: Home, code: str, severity: str, *, fix: bool = False) -> Finding:
    (finding,) = found(home, fix=fix)
    assert (finding["code"], finding["severity"]) == (code, severity)
    return finding


def is_cured(home: Home, code: str, severity: str) -> bool:
    """Found without being touched, then fixed, then gone."""
    assert not only(home, code, severity)["fixed"]
    assert only(home, code, severity)["fix"]
    assert only(home, code, severity, fix=True)["fixed"]
    return found(home) == []


def test_nothing_is_wrong(home: Home) -> None:
    report = doctor(home)
    assert (report["executions"], report["findings"], report["fileSystem"]) == (1, [], "ext4")
    assert {"wfrun", "python", "sqlite", "system"} == report["versions"].keys()
    assert report["freeBytes"]


def test_a_home_that_is_not_there_is_nothing_wrong_and_is_not_made(tmp_path: Path) -> None:
    report = doctor(Home(tmp_path / "none"), fix=True)
    assert (report["executions"], report["findings"], report["freeBytes"]) == (0, [], None)
    assert not (tmp_path / "none").exists()


class TestTheDirectory:
    @pytest.mark.parametrize(("mode", "severity"), [(0o755, "warning"), (0o777, "error"), (0o770, "warning")])
    def test_a_directory_that_others_can_open(self, home: Home, mode: int, severity: str) -> None:
        os.chmod(home.path, mode)
        first = found(home)[0]
        assert (first["code"], first["severity"]) == ("state.mode", severity)
        assert doctor(Home(home.path), fix=True)["findings"][0]["fixed"]
        assert found(home) == []

    def test_a_journal_that_others_can_read(self, home: Home) -> None:
        os.chmod(home.journal_path("e"), 0o644)
        assert is_cured(home, "state.mode", "warning")
        assert os.stat(home.journal_path("e")).st_mode & 0o777 == 0o600

    def test_a_link(self, home: Home, tmp_path: Path) -> None:
        os.symlink(tmp_path, f"{home.definitions}/link")
        assert only(home, "state.kind", "error")["where"] == f"{home.definitions}/link"

    @pytest.mark.parametrize("name", ["executions/00/.x.jsonl.new", "definitions/.d.yaml.new", "cache/.a.123"])
    def test_what_a_writer_left_that_died(self, home: Home, name: str) -> None:
        path = Path(home.path, name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        assert found(home) == []  # its writer may still be at it
        os.utime(path, (LONG_AGO, LONG_AGO))
        assert is_cured(home, "state.leftover", "warning")
        assert not path.exists()

    def test_a_journal_where_nobody_looks(self, home: Home) -> None:
        Path(home.executions, "zz").mkdir(mode=0o700)
        os.rename(home.journal_path("e"), f"{home.executions}/zz/e.jsonl")
        assert "state.stray" in [finding["code"] for finding in found(home)]

    def test_what_is_no_journal(self, home: Home) -> None:
        Path(home.shard("e"), "notes.txt").touch(mode=0o600)
        only(home, "state.stray", "warning")


class TestTheExecutions:
    def test_a_damaged_one(self, home: Home) -> None:
        path = Path(home.journal_path("e"))
        path.write_bytes(path.read_bytes().replace(b"500", b"501", 1))
        assert [finding["code"] for finding in found(home)] == ["journal.damaged"]

    def test_a_missing_definition(self, home: Home) -> None:
        for path in Path(home.definitions).glob("*.yaml"):
            path.unlink()
        only(home, "definition.unknown", "error")

    def test_an_unfinished_line(self, home: Home) -> None:
        with open(home.journal_path("e"), "ab") as file:
            file.write(b"{")
        only(home, "journal.torn", "note")

    def test_one_whose_runner_is_gone(self, home: Home) -> None:
        journal = Journal.open(home, "e")
        journal.drive({"host": "h", "pid": 1, "wfrun": "0"})
        with journal.turn():
            journal.add({"type": "compensation.requested", "by": "ann", "reason": ""})
        codes = [finding["code"] for finding in found(home)]
        journal.close()
        assert codes == []  # somebody is at it
        assert only(home, "execution.interrupted", "warning")["hint"] == "`wfrun resume e`"

    def test_one_whose_disk_failed(self, home: Home) -> None:
        os.chmod(home.journal_path("e"), 0o700 | FAILED)
        only(home, "journal.io", "error")

    def test_an_index_that_tells_something_else(self, home: Home) -> None:
        with sqlite3.connect(f"{home.path}/index.sqlite") as database:
            database.execute("UPDATE executions SET summary = replace(summary, 'completed', 'failed')")
        database.close()
        assert is_cured(home, "index.drift", "warning")


class TestTheMachine:
    @pytest.mark.parametrize(
        ("kind", "code", "severity"),
        [
            ("nfs4", "disk.network", "error"),
            ("fuse.sshfs", "disk.network", "error"),
            ("tmpfs", "disk.volatile", "warning"),
        ],
    )
    def test_a_file_system_that_cannot_be_relied_on(
        self, home: Home, kind: str, code: str, severity: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doctoring, "file_system", lambda path: kind)
        only(home, code, severity)

    @pytest.mark.parametrize(("limit", "code"), [("LEAST_FREE", "disk.space"), ("LEAST_FREE_NAMES", "disk.files")])
    def test_a_disk_that_is_full(self, home: Home, limit: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctoring, limit, 2**60)
        full = SimpleNamespace(f_bavail=1, f_frsize=1, f_files=1, f_favail=1)
        monkeypatch.setattr(os, "statvfs", lambda path: full)
        only(home, code, "warning")

    def test_too_few_open_files(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctoring, "affordable", lambda executions: 3)
        assert "only 3 executions" in only(home, "limits.files", "warning")["message"]


class TestMounts:
    TABLE = (
        "dev / ext4 rw 0 0\nsrv:/x /mnt/far nfs4 rw 0 0\ntmp /mnt/a\\040b tmpfs rw 0 0\ndev2 /mnt/far/near xfs rw 0 0\n"
    )

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/srv", "ext4"),
            ("/mnt/far/x", "nfs4"),
            ("/mnt/farther", "ext4"),
            ("/mnt/a b/c", "tmpfs"),
            ("/mnt/far/near/x", "xfs"),
        ],
    )
    def test_the_nearest_mount_counts(self, tmp_path: Path, path: str, kind: str) -> None:
        (tmp_path / "mounts").write_text(self.TABLE)
        assert file_system(path, str(tmp_path / "mounts")) == kind

    def test_where_nobody_tells(self, tmp_path: Path) -> None:
        assert file_system("/", str(tmp_path / "none")) == ""
