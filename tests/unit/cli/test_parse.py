"""The fast parser and typer read the same lines the same way; whatever the fast one is not sure of is left to typer."""

from __future__ import annotations

import os
import shlex
from typing import Any

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer._click.exceptions import ClickException

from wfrun.cli.declare import COMMANDS, Arg, Command, Opt, command_in, load, summary
from wfrun.cli.engine import choose_engine
from wfrun.cli.parse import parse
from wfrun.cli.typed import build_app

DECLARED = {name: load(name) for name in COMMANDS}
SEEN: list[tuple[str, dict[str, Any]]] = []


def _record(command: Command, values: dict[str, Any]) -> int:
    SEEN.append((command.name, values))
    return 0


APP = typer.main.get_command(build_app(_record))


def typer_values(name: str, arguments: list[str]) -> dict[str, Any] | None:
    """What typer makes of the line; None if it refuses it."""
    SEEN.clear()
    try:
        APP.main(args=[*name.split(), *arguments], prog_name="wfrun", standalone_mode=False)
    except ClickException:
        return None
    return SEEN[0][1] if SEEN else None


COMMON = [
    "run order.yaml",
    "run order.yaml --input order.json --set a=1 --set b.c=x --id o-1 --home /h --wait --json -q",
    "run --input=- order.yaml --services=s.yaml",
    "run order.yaml -i -",
    "run order.yaml --set ''",
    "run order.yaml --set=",
    "run order.yaml --set=-5",
    "run -- --odd-name.yaml",
    "status k7m2",
    "status k7m2 --json",
    "status --home h k7m2",
    "resume k7m2 --wait --quiet",
    "approve k7m2x9qd/a --data rate=4.2 --data note=x --comment 'as agreed' --as kim --no-resume",
    "reject k7m2x9qd/a --data-file -",
    "tasks",
    "tasks --assignee loan-managers",
    "validate a.yaml b.yaml --json c.yaml",
    "lint --strict a.yaml --format sarif -- --b.yaml",
    "list",
    "list --status failed --workflow order --limit 5 --since 2d",
    "list -n 7",
    "log k7m2 --follow --raw",
    "log -f k7m2",
    "cancel k7m2 --reason 'ordered twice'",
    "validate order.yaml --json",
    "graph order.yaml --mermaid",
    "init",
    "init folder",
    "batch order.yaml --inputs orders.jsonl --concurrency 50",
    "batch order.yaml --inputs - -c 2",
    "reindex",
    "audit verify --all",
    "doctor --fix",
    "gc --older-than 30d --status completed,failed --dry-run",
    "audit verify k7 bundle.tar --json",
    "audit anchor --out heads.txt",
    "audit compare -",
    "audit export k7 m3 -o b.tar",
]


@pytest.mark.parametrize("line", COMMON)
def test_what_is_commonly_typed_is_parsed_without_typer_and_alike(line: str) -> None:
    words = shlex.split(line)
    name = command_in(words)
    assert name is not None
    arguments = words[len(name.split()) :]
    values = parse(DECLARED[name].parameters, arguments)
    assert values is not None
    assert values == typer_values(name, arguments)


@pytest.mark.parametrize(
    "line",
    [
        "run",
        "run --help",
        "run -h",
        "run order.yaml extra",
        "run order.yaml --unknown",
        "run order.yaml --input",
        "run order.yaml --wait=yes",
        "run order.yaml --inp x",
        "run order.yaml --input --json",
        "status",
        "log -fx k7m2",
        "list --limit five",
        "list --limit 5.0",
        f"list --limit {'9' * 5000}",
        "list -n5",
        "list -n=5",
        "batch order.yaml",
    ],
)
def test_what_is_unusual_is_left_to_typer(line: str) -> None:
    name, *arguments = shlex.split(line)
    assert parse(DECLARED[name].parameters, arguments) is None


def _words(command: Command) -> st.SearchStrategy[list[str]]:
    flags = [flag for p in command.parameters if isinstance(p.meta, Opt) for flag in p.meta.flags]
    plain = ["x", "order.yaml", "7", "-", "--", "", "-1", "é", "a b", "--help", "-"]
    word = st.one_of(
        st.sampled_from(plain),
        st.sampled_from(flags),
        st.builds(lambda flag, value: f"{flag}={value}", st.sampled_from(flags), st.sampled_from(plain)),
        st.builds(lambda flag, value: f"{flag}{value}", st.sampled_from(flags), st.sampled_from(["x", "7"])),
    )
    return st.lists(word, max_size=7)


LINES = st.sampled_from(sorted(COMMANDS)).flatmap(lambda n: st.tuples(st.just(n), _words(DECLARED[n])))


@settings(max_examples=400, deadline=None)
@given(LINES)
@example(("run", ["--", "x"]))
@example(("list", ["--limit", "07"]))
@example(("run", ["x", "--id", "a", "--id", "b"]))
def test_the_fast_parser_never_reads_what_typer_reads_otherwise(line: tuple[str, list[str]]) -> None:
    name, arguments = line
    values = parse(DECLARED[name].parameters, arguments)
    if values is not None:
        assert values == typer_values(name, arguments)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_declared_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = DECLARED[name]
    assert summary(command.name)
    assert command.example.startswith(f"wfrun {name}")
    for parameter in command.parameters:
        assert parameter.meta.help.endswith(".")
        assert isinstance(parameter.meta, Arg) or parameter.meta.flags[0].startswith("--")
    monkeypatch.setattr(os, "environ", dict(os.environ))  # where the options of all commands are put
    words = choose_engine(shlex.split(command.example.partition(" > ")[0])[1:])
    assert command_in(words) == name
    arguments = words[len(name.split()) :]
    assert parse(command.parameters, arguments) is not None


def test_options_shared_by_commands_mean_the_same() -> None:
    meanings: dict[str, set[str]] = {}
    for command in DECLARED.values():
        for parameter in command.parameters:
            if isinstance(parameter.meta, Opt) and parameter.name in ("home", "as_json", "services", "wait"):
                meanings.setdefault(parameter.name, set()).add(parameter.meta.help)
    assert {name: len(texts) for name, texts in meanings.items()} == dict.fromkeys(meanings, 1)
