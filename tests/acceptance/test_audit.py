"""`wfrun audit` as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wfrun.journal.home import Home

if TYPE_CHECKING:
    from tests.acceptance.conftest import Shell


@pytest.fixture
def audited(shell: Shell) -> Shell:
    """Two executions, of which one failed."""
    shell.wfrun("run", shell.slow(), "--id", "good")
    shell.wfrun("run", shell.failing("closed"), "--id", "bad")
    return shell


def journal(shell: Shell, execution: str) -> Path:
    return Path(Home(shell.folder / ".wfrun").journal_path(execution))


def damage(shell: Shell, execution: str) -> None:
    path = journal(shell, execution)
    path.write_bytes(path.read_bytes().replace(b'"seq":2', b'"seq":3', 1))


def test_all_is_well(audited: Shell) -> None:
    verified = audited.wfrun("audit", "verify", "--all")
    assert (verified.code, verified.err) == (0, "")
    assert verified.lines[-1].startswith("2 journals, ")
    assert audited.wfrun("audit", "verify", "go", "--json").json("audit-verify")["damaged"] == 0
    proved = audited.wfrun("audit", "prove", "--all", "--json")
    assert proved.code == 0
    assert proved.json("audit-prove")["proved"] == 2


def test_what_looks_writes_nothing(audited: Shell) -> None:
    before = audited.state()
    for line in ("audit verify --all", "audit prove --all", "audit anchor", "doctor", "gc --older-than 0s --dry-run"):
        assert audited.wfrun(*line.split()).code == 0
    assert audited.state() == before


def test_damage_is_told_and_exits_6(audited: Shell) -> None:
    damage(audited, "bad")
    anchored = audited.wfrun("audit", "anchor")
    assert (anchored.code, len(anchored.lines)) == (6, 1)
    assert "error[journal.damaged]" in anchored.err
    verified = audited.wfrun("audit", "verify", "--all")
    assert verified.code == 6
    assert f"{journal(audited, 'bad')} (byte " in verified.out
    assert "record 2): error[journal.damaged]" in verified.out
    assert audited.wfrun("audit", "verify", "--all", "--json").json("audit-verify")["damaged"] == 1
    proved = audited.wfrun("audit", "prove", "--all", "--json")
    assert proved.code == 6
    told = {each["execution"]: each["problem"] for each in proved.json("audit-prove")["executions"]}
    assert told["good"] is None
    assert told["bad"]["code"] == "journal.damaged"


def test_heads_are_kept_and_compared(audited: Shell) -> None:
    assert audited.wfrun("audit", "anchor", "--out", "heads.txt").code == 0
    assert audited.wfrun("audit", "anchor", "--json").json("audit-anchor")["heads"][0]["execution"] == "bad"
    assert audited.wfrun("audit", "anchor", "--out", "heads.txt").code == 2
    assert audited.wfrun("audit", "compare", "heads.txt").code == 0
    journal(audited, "bad").unlink()
    compared = audited.wfrun("audit", "compare", "heads.txt", "--json")
    assert compared.code == 6
    assert [each["code"] for each in compared.json("audit-compare")["differences"]] == ["audit.missing"]
    assert audited.wfrun("audit", "compare", "-", stdin="x").code == 3


def test_a_bundle_goes_elsewhere(audited: Shell) -> None:
    exported = audited.wfrun("audit", "export", "good", "bad", "--out", "e.tar", "--json")
    assert exported.code == 0
    assert len(exported.json("audit-export")["heads"]) == 2
    for command in ("verify", "prove"):
        assert audited.wfrun("audit", command, "e.tar", "--home", "nowhere").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify",), "name executions, or say --all"),
        (("verify", "good", "--all"), "nothing is to be named"),
        (("verify", "nobody"), "no execution begins with"),
        (("verify", "./nothing.tar"), "cannot be read"),
        (("compare", "nothing"), "cannot be read"),
        (("export", "good"), "--out"),
        (("vanish",), "No such command"),
    ],
)
def test_what_cannot_be_meant_is_refused(audited: Shell, arguments: tuple[str, ...], words: str) -> None:
    done = audited.wfrun("audit", *arguments)
    assert done.code == 2
    assert words in done.err


def test_the_group_alone_shows_its_commands(shell: Shell) -> None:
    done = shell.wfrun("audit")
    assert done.code == 0
    assert "verify" in done.out
