"""Definitions that a home keeps: read once, and never believed when they are not what was written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wfrun.app import checked
from wfrun.app.checked import known, recall, remember
from wfrun.app.workflows import open_workflow
from wfrun.core.definition import Document
from wfrun.errors import InvalidError
from wfrun.journal.home import Home
from wfrun.load.definition import load_definition
from wfrun.resources import resource

CASES = Path(__file__).parents[2] / "cases" / "valid"
WORKFLOWS = [path for path in resource("workflows").glob("*/*.yaml") if not path.name.startswith("services")]
SOURCE = b"name: a\nmetadata: { x: &x [1, { y: 2.5 }], again: *x }\nsteps: { name: s, service: s, action: x }\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def kept(home: Home) -> Path:
    (name,) = os.listdir(home.cache)
    return Path(home.cache, name)


def read(home: Home, source: bytes, file: str) -> Document:
    """As a start does it, without what is around the definition."""
    document = known(home, source, file)
    if document is None:
        document = load_definition(source, file)
        remember(home, document)
    return document


def same(one: Document, other: Document) -> bool:
    parts = ("data", "marks", "keys", "file", "source", "sha256")
    return all(getattr(one, part) == getattr(other, part) for part in parts)


@pytest.mark.parametrize("path", sorted([*CASES.glob("*.yaml"), *WORKFLOWS]), ids=lambda path: path.name)
def test_what_is_recalled_is_what_was_read(home: Home, path: Path) -> None:
    source = path.read_bytes()
    loaded = load_definition(source, path.name)
    assert same(read(home, source, path.name), loaded)
    recalled = recall(home, source, path.name)
    assert same(recalled, loaded)
    assert repr(recalled.data) == repr(loaded.data)  # the order of keys and the types of numbers, too


def test_the_name_of_the_file_is_the_one_of_today(home: Home) -> None:
    read(home, SOURCE, "old.yaml")
    assert str(recall(home, SOURCE, "new.yaml").place(("name",))) == "new.yaml:1:7"


def test_looking_keeps_nothing(home: Home) -> None:
    assert recall(home, SOURCE, "f.yaml").data == load_definition(SOURCE, "f.yaml").data
    assert not os.path.exists(home.path)


def test_what_was_stored_is_not_held_against_the_schema_again(home: Home) -> None:
    assert recall(home, b"name: a\nlater: b\n", "f.yaml").data == {"name": "a", "later": "b"}


@pytest.mark.parametrize("steps", ["[]", "{ name: a, service: s, action: x, input: $.nowhere.x }\ninput: {}"])
def test_what_is_invalid_is_not_kept(home: Home, tmp_path: Path, steps: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(f"name: a\nservices: {{ s: {{ adapter: mock }} }}\nsteps: {steps}\n")
    for _ in range(2):
        with pytest.raises(InvalidError):
            open_workflow(str(path), None, home)
    assert not os.path.exists(home.cache)


def test_a_home_that_cannot_be_written_is_no_obstacle(home: Home) -> None:
    os.mkdir(home.path, 0o700)
    Path(home.cache).write_text("")
    assert same(read(home, SOURCE, "f.yaml"), load_definition(SOURCE, "f.yaml"))


def is_believed(home: Home) -> bool:
    """Whether what is kept is used. It is read correctly in any case."""
    before = os.stat(kept(home)).st_ino
    assert same(read(home, SOURCE, "f.yaml"), load_definition(SOURCE, "f.yaml"))
    return os.stat(kept(home)).st_ino == before


def test_a_torn_file_is_not_believed_but_replaced(home: Home) -> None:
    read(home, SOURCE, "f.yaml")
    whole = kept(home).read_bytes()
    for end in range(0, len(whole), 7):
        kept(home).write_bytes(whole[:end])
        assert not is_believed(home)
        assert kept(home).read_bytes() == whole
    assert is_believed(home)


def test_a_flipped_bit_is_not_believed(home: Home) -> None:
    read(home, SOURCE, "f.yaml")
    whole = kept(home).read_bytes()
    for at in range(0, len(whole), 5):
        kept(home).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not is_believed(home)


def test_what_is_kept_under_another_name_is_not_believed(home: Home) -> None:
    read(home, SOURCE, "f.yaml")
    right = kept(home)
    right.rename(right.with_name("aside"))
    read(home, SOURCE.replace(b"2.5", b"3.5"), "f.yaml")
    (other,) = set(os.listdir(home.cache)) - {"aside"}
    Path(home.cache, other).rename(right)
    right.with_name("aside").unlink()
    assert not is_believed(home)


@pytest.mark.parametrize("part", ["__version__", "shape_fingerprint"])
def test_another_version_or_schema_reads_anew(home: Home, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read(home, SOURCE, "f.yaml")
    monkeypatch.setattr(checked, part, "0.0.0" if part == "__version__" else lambda: "0" * 64)
    read(home, SOURCE, "f.yaml")
    assert len(os.listdir(home.cache)) == 2


COMMAND = """
import sys
from wfrun.cli.main import main
sys.argv = ["wfrun", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    code = end.code
print(code, sorted({name.partition(".")[0] for name in sys.modules} & {"ruamel", "jsonschema"}), file=sys.stderr)
"""


def heavy_imports(folder: Path, *arguments: str) -> str:
    """Runs a command in a process of its own. Its exit code and the libraries it needed to read YAML."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()[-1]


def test_the_second_process_imports_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "name: w\ninput: { amount: number, note: string? }\nservices: { m: { adapter: mock } }\nsteps:\n"
        "  - { name: a, service: m, action: x, input: $.amount }\n  - { name: b, type: human-task, assignee: boss }\n"
    )
    (tmp_path / "in.json").write_text('{"amount": 5}')
    run = ("run", "w.yaml", "--input", "in.json", "--id")
    assert heavy_imports(tmp_path, *run, "one") == "4 ['ruamel']"
    assert heavy_imports(tmp_path, *run, "two") == "4 []"
    assert heavy_imports(tmp_path, "approve", "one/b", "--as", "boss") == "0 []"
    assert heavy_imports(tmp_path, "graph", "two") == "0 []"


def test_a_command_that_only_reads_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "name: w\nservices: { m: { adapter: mock } }\nsteps: { name: a, service: m, action: x }\n"
    )
    heavy_imports(tmp_path, "run", "w.yaml", "--id", "one")
    home = Home(tmp_path / ".wfrun")
    kept(home).unlink()
    for command in (["graph", "one"], ["graph", "w.yaml"], ["validate", "w.yaml"], ["status", "one"]):
        assert heavy_imports(tmp_path, *command).startswith("0 ")
        assert os.listdir(home.cache) == []
