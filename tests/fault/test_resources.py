"""F5: real processes on a disk that is full, that is read-only, or with no file descriptor left.

Whatever they could not do, they say so and stop. When there is room again, everything goes on: each effect once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.support.broken import CARELESS, DENIED, broken
from tests.support.ledger import Ledger
from tests.support.shell import ROOT
from tests.support.tally import FULL, Tally
from tests.support.zygote import Zygote

ITEMS = 30
WORKFLOW = f"""
name: many
services: {{ s: {{ adapter: python, module: ledger }} }}
steps:
  - type: foreach
    items: "${{range({ITEMS})}}"
    steps:
      - {{ name: note, service: s, action: note, input: $.index }}
"""
PAGE = 4096
# A disk of its own for a process and its children; nobody has to be root for it.
MOUNT = 'mount -t tmpfs -o size=1m,nr_inodes=200 tmpfs "$0" && exec "$@"'


def inside(disk: Path) -> list[str]:
    return ["unshare", "-rm", "sh", "-c", MOUNT, str(disk)]


class Disk:
    """The small disk of a zygote, seen from outside, with ballast on it."""

    def __init__(self, path: Path, zygote: Zygote) -> None:
        self._seen = Path(f"/proc/{zygote.pid}/root{path}")
        self._ballast = self._seen / "ballast"

    @contextmanager
    def room(self, pages: int, names: int) -> Iterator[None]:
        """For no more than so many pages and so many new names."""
        self._ballast.mkdir()
        with (self._ballast / "bytes").open("wb") as file:
            file.write(bytes((os.statvfs(self._seen).f_bavail - pages) * PAGE))
        for number in range(os.statvfs(self._seen).f_ffree - names):
            (self._ballast / str(number)).touch()
        yield
        shutil.rmtree(self._ballast)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger() as ledger:
        (tmp_path / "ledger.py").write_text(ledger.module)
        (tmp_path / "many.yaml").write_text(WORKFLOW)
        yield ledger


class Runs:
    """Executions in homes that run out of something."""

    def __init__(self, zygote: Zygote, ledger: Ledger) -> None:
        self._zygote = zygote
        self._ledger = ledger
        self.stopped = 0

    def run(self, id: str, home: Path, **short: Any) -> None:
        """What runs out of something says so in words and stops, or does not need it."""
        ended = self._zygote.run("run", "many.yaml", "--id", id, "--home", str(home), **short)
        assert ended.code in (0, 1, 2, 6), ended
        assert "Traceback" not in ended.output, ended.output
        assert ended.code == 0 or "error[" in ended.output or "Error " in ended.output, ended
        assert ended.code != 0 or self._keys(id) == _all_keys(id)
        self.stopped += ended.code != 0

    def goes_on(self, id: str, home: Path) -> None:
        """With all it needs. No call is made again once the next one was made."""
        again = self._zygote.run("run", "many.yaml", "--id", id, "--home", str(home))
        assert again.code == 0, again.output
        assert self._keys(id) == _all_keys(id)
        assert self._zygote.run("audit", "prove", id, "--home", str(home)).code == 0

    def _keys(self, id: str) -> list[str]:
        """Of what was called, in order; once, if it was called again at once."""
        keys = [call.key for call in self._ledger.calls() if call.key.startswith(f"{id}/")]
        return [key for key, _ in groupby(keys)]

    def in_files_of(self, size: int, home: Path) -> None:
        """None may have more bytes, and then it goes on where any may."""
        self.run(f"e{size}", home, limits={"FSIZE": size})
        self.goes_on(f"e{size}", home)


def _all_keys(id: str) -> list[str]:
    return [f"{id}/note@{number}" for number in range(ITEMS)]


@pytest.fixture
def runs(tmp_path: Path, ledger: Ledger) -> Iterator[Runs]:
    with Zygote(tmp_path, {"PYTHONPATH": str(ROOT)}) as zygote:
        yield Runs(zygote, ledger)


@pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*inside(Path("/mnt")), "true"], stderr=subprocess.DEVNULL).returncode != 0,
    reason="a disk of one's own cannot be mounted here: unshare -rm is refused",
)
@pytest.mark.slow
@pytest.mark.parametrize(("pages", "names"), [(50, 14), (26, 200)], ids=["names", "pages"])
def test_a_disk_that_is_full(pages: int, names: int, tmp_path: Path, ledger: Ledger, tally: Tally) -> None:
    path = tmp_path / "disk"
    path.mkdir()
    with Zygote(tmp_path, {"PYTHONPATH": str(ROOT)}, inside(path)) as zygote:
        assert zygote.run("--version").code == 0  # it has arrived on its disk
        disk, runs = Disk(path, zygote), Runs(zygote, ledger)
        for left in range(min(pages, names)):
            room = (pages, left) if names < pages else (left, names)
            with disk.room(*room):
                tally.add("F5")
                runs.run(f"e{left}", path / "home")
            runs.goes_on(f"e{left}", path / "home")
            zygote_home = Path(f"/proc/{zygote.pid}/root{path}/home")
            shutil.rmtree(zygote_home)
        assert runs.stopped > 5


@pytest.mark.slow
def test_a_file_that_may_not_grow(tmp_path: Path, runs: Runs, tally: Tally) -> None:
    for size in range(0, 30_000, 500 if FULL else 2_000):
        tally.add("F5")
        runs.in_files_of(size, tmp_path / str(size))
    assert runs.stopped > 8


@pytest.mark.slow
def test_a_write_that_failed_and_is_told_to_be_done(tmp_path: Path, ledger: Ledger) -> None:
    """The control: who ignores what the disk says does not get through all of these unnoticed."""
    path = broken(tmp_path, DENIED)["PYTHONPATH"]
    with Zygote(tmp_path, {"PYTHONPATH": str(ROOT)}, ["env", f"PYTHONPATH={path}"]) as zygote:
        runs = Runs(zygote, ledger)
        runs.in_files_of(1_000_000, tmp_path / "whole")
        found = 0
        for size in (2_500, 5_000, 10_000, 20_000):
            try:
                runs.in_files_of(size, tmp_path / str(size))
            except AssertionError:
                found += 1
        assert found > 0


def with_files(runs: Runs, most: int, folder: Path) -> None:
    """No more than so many can be open, and then as many as are needed."""
    runs.run(f"e{most}", folder / str(most), limits={"NOFILE": most})
    runs.goes_on(f"e{most}", folder / str(most))


@pytest.mark.slow
def test_no_file_can_be_opened(tmp_path: Path, runs: Runs, tally: Tally) -> None:
    for most in range(5, 40 if FULL else 14):
        tally.add("F5")
        with_files(runs, most, tmp_path)
    assert runs.stopped > 3


@pytest.mark.slow
def test_who_ends_well_without_having_opened_a_file_is_found(tmp_path: Path, ledger: Ledger) -> None:
    """The control."""
    path = broken(tmp_path, CARELESS)["PYTHONPATH"]
    with Zygote(tmp_path, {"PYTHONPATH": str(ROOT)}, ["env", f"PYTHONPATH={path}"]) as zygote:
        runs, found = Runs(zygote, ledger), 0
        with_files(runs, 500, tmp_path)
        for most in range(5, 14):
            try:
                with_files(runs, most, tmp_path)
            except AssertionError:
                found += 1
        assert found > 0


@pytest.mark.slow
@pytest.mark.parametrize("where", ["", "home", "home/executions", "home/definitions"])
def test_a_directory_that_may_not_be_written(where: str, tmp_path: Path, runs: Runs, tally: Tally) -> None:
    """The home itself, and each directory in it; the definition is another one than that of the execution before."""
    work = tmp_path / "work"
    work.mkdir()
    if where:
        runs.goes_on("e1", work / "home")
        with (tmp_path / "many.yaml").open("a") as file:
            file.write("# another one\n")
    (directory,) = work.glob(where) if where else [work]
    directory.chmod(0o500)
    tally.add("F5")
    runs.run("e2", work / "home", powerless=True)
    directory.chmod(0o700)
    runs.goes_on("e2", work / "home")
