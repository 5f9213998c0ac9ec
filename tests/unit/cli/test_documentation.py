"""docs/cli.md says what the declarations say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from wfrun.cli.commands.batch import WORST_FIRST
from wfrun.cli.declare import COMMANDS, Opt, load
from wfrun.cli.invoke import EXIT_CODES
from wfrun.cli.streams import OutputError
from wfrun.views.model import EXECUTION_STATUSES

REPOSITORY = Path(__file__).parent.parent.parent.parent
PAGE = (REPOSITORY / "docs/cli.md").read_text()
SECTIONS: dict[str, str] = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
FLAG = re.compile(r"`(--?[a-z][a-z-]*)")


def section(command: str) -> str:
    return SECTIONS["approve and reject" if command in ("approve", "reject") else command]


def flags(command: str) -> set[str]:
    options = [parameter.meta for parameter in load(command).parameters if isinstance(parameter.meta, Opt)]
    return {flag for option in options for flag in option.flags}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told(command: str) -> None:
    assert flags(command) <= set(FLAG.findall(section(command)))


@pytest.mark.parametrize("title", [title for title in SECTIONS if title != "What all commands share"])
def test_no_option_is_told_that_is_not_there(title: str) -> None:
    commands = title.split(" and ")
    known = set.union(*(flags(command) for command in commands)) | {"--input", "--set"}
    assert set(FLAG.findall(SECTIONS[title])) <= known


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_in_use_and_in_the_overview(command: str) -> None:
    assert f"wfrun {command}" in section(command)
    assert f"`{command}`" in PAGE.partition("## What all")[0]


def test_exit_codes_and_statuses_are_told() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", SECTIONS["What all commands share"], re.MULTILINE)}
    assert told == {*EXIT_CODES.values(), 2, 3, 141, OutputError.exit_code}
    assert all(f"| `{status}` |" in SECTIONS["status"] for status in EXECUTION_STATUSES)


def test_the_order_of_a_batch_is_told() -> None:
    told = re.findall(r"([a-z-]+) \(\d+\)", SECTIONS["batch"])
    assert told == [outcome for outcome in WORST_FIRST if outcome != "running"]


# They go on until they are told to stop, and have no result.
SERVERS = ("worker", "dev")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in SERVERS])
def test_every_command_has_a_schema(command: str) -> None:
    name = "decision" if command in ("approve", "reject") else command.replace(" ", "-")
    schema = json.loads((REPOSITORY / f"schemas/cli-{name}.schema.json").read_text())
    assert schema["$id"] == f"cli-{name}.schema.json"
    assert command in schema["title"]
