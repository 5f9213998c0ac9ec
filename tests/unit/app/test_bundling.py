"""Bundles: all that is needed to check executions elsewhere, the same bytes each time, and nothing else."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.loans import started
from wfrun.app import driving
from wfrun.app.auditing import Checked, is_damaged, verify
from wfrun.app.bundling import bundle, write_bundle
from wfrun.app.evidence import HEADS, SUMS, of_path
from wfrun.app.proving import is_proved, prove
from wfrun.errors import ConflictError, JournalError, NotFoundError
from wfrun.journal.home import Home

PARENT = """
name: parent
services: { s: { adapter: mock, default: { result: 1 } } }
steps: { name: sub, type: workflow, workflow: child, input: { x: 1 }, output: sub }
"""
CHILD = """
name: child
services: { s: { adapter: mock, default: { result: '${secret.KEY}' } } }
input: { x: integer }
steps: { name: one, service: s, action: a, output: one }
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return started(tmp_path)


@pytest.fixture
def archive(home: Home, tmp_path: Path) -> str:
    out = str(tmp_path / "b.tar")
    write_bundle(bundle(home, ["e"]), out)
    return out


def damages(path: str) -> list[str]:
    checked: list[Checked] = list(verify(of_path(path)))
    return [found["message"] for each in checked if is_damaged(each) for found in each["findings"]]


def test_it_is_checked_without_a_home(archive: str) -> None:
    assert damages(archive) == []
    assert [is_proved(each) for each in prove(of_path(archive))] == [True]


def test_the_same_executions_give_the_same_bytes(home: Home, archive: str, tmp_path: Path) -> None:
    shutil.copytree(home.path, tmp_path / "later")
    write_bundle(bundle(Home(tmp_path / "later"), ["e"]), str(tmp_path / "c.tar"))
    assert (tmp_path / "c.tar").read_bytes() == Path(archive).read_bytes()


def test_it_is_checked_without_wfrun(archive: str, tmp_path: Path) -> None:
    subprocess.run(["tar", "xf", archive, "-C", tmp_path], check=True)
    done = subprocess.run(["sha256sum", "-c", SUMS], cwd=tmp_path / "bundle", capture_output=True, check=False)
    assert done.returncode == 0
    assert damages(str(tmp_path / "bundle")) == []


def test_a_folder_will_do(home: Home, tmp_path: Path) -> None:
    write_bundle(bundle(home, ["e"]), str(tmp_path / "out"))
    assert damages(str(tmp_path / "out")) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "more").write_text("x"), "more was added"),
        (lambda folder: (folder / "README").unlink(), "README is missing"),
        (lambda folder: (folder / "README").write_text("x"), "README is not what was put in"),
        (lambda folder: (folder / HEADS).write_text(""), "the head of e is"),
        (lambda folder: (folder / HEADS).write_text("x"), "this is not the head"),
    ],
)
def test_a_bundle_that_was_changed(home: Home, tmp_path: Path, change: object, words: str) -> None:
    write_bundle(bundle(home, ["e"]), str(tmp_path / "out"))
    assert callable(change)
    change(tmp_path / "out")
    assert any(words in message for message in damages(str(tmp_path / "out")))


def test_children_and_their_definitions_are_in_it_and_no_services(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for name, text in (("parent", PARENT), ("child", CHILD.replace("${secret.KEY}", "7"))):
        (tmp_path / f"{name}.yaml").write_text(text)
    driving.run(home, workflow=str(tmp_path / "parent.yaml"), execution="p")
    names = bundle(home, ["p"]).files.keys()
    assert {Path(name).name for name in names if name.endswith(".jsonl")} == {"p.jsonl", "p.sub.jsonl"}
    assert {name.partition("/")[0] for name in names} == {"README", HEADS, SUMS, "executions", "definitions"}
    assert sum(name.startswith("definitions/") for name in names) == 2


def test_a_line_that_is_being_written_is_left_out(home: Home) -> None:
    whole = bundle(home, ["e"])
    with open(home.journal_path("e"), "ab") as file:
        file.write(b'{"at":"20')
    assert bundle(home, ["e"]) == whole


def test_nothing_is_overwritten(home: Home, archive: str) -> None:
    with pytest.raises(ConflictError):
        write_bundle(bundle(home, ["e"]), archive)


def test_what_cannot_be_exported(home: Home, tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        write_bundle(bundle(home, ["e"]), str(tmp_path / "nowhere" / "b.tar"))
    for path in Path(home.definitions).glob("*.yaml"):
        path.unlink()
    with pytest.raises(NotFoundError):
        bundle(home, ["e"])
    journal = Path(home.journal_path("e"))
    journal.write_bytes(journal.read_bytes().replace(b"500", b"501", 1))
    with pytest.raises(JournalError):
        bundle(home, ["e"])


def test_an_archive_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        link = tarfile.TarInfo("bundle/executions/00/x.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(JournalError):
        of_path(str(tmp_path / "links.tar"))
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("bundle/x"), io.BytesIO())
    with pytest.raises(NotFoundError):
        of_path(str(tmp_path / "other.tar"))
